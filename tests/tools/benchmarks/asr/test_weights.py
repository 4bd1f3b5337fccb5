import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rtap.errors import ConfigurationError
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.benchmarks.asr import ggml, weights
from tools.benchmarks.asr.margin import margin_beside
from tools.benchmarks.asr.weights import CHECKPOINT, GGML_FILE, Source, prepared, size_on_disk
from tools.model.conversion.adapter import Adapter, write_adapter
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import write_mark
from tools.model.conversion.sources import open_checkpoint

PYTHON = Path(sys.executable)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    place = tmp_path_factory.mktemp("weights")
    marked = place / "whisper-mini"
    shutil.copytree(checkpoint, marked)
    write_mark(marked, "native", {"margin": 0.5})
    source = Source.of(open_checkpoint(str(marked)), place / "kept")
    prepared("ggml-q8_0", source, PYTHON)
    return source


@pytest.fixture
def made(source: Source) -> Path:
    return prepared("ggml-q8_0", source, PYTHON)


def test_the_copy_has_the_same_tensors_and_texts(source: Source) -> None:
    copy = open_checkpoint(str(source.folder / CHECKPOINT))
    assert copy.shapes() == source.checkpoint.shapes()
    for name in copy.shapes():
        np.testing.assert_array_equal(copy.tensor(name), source.checkpoint.tensor(name))
    assert copy.read_json("config.json") == source.checkpoint.read_json("config.json")
    vocabulary = copy.read_json("vocab.json")
    added = copy.read_json("added_tokens.json")
    assert sorted([*vocabulary.values(), *added.values()]) == list(range(copy.config.vocab_size))
    languages = copy.read_json("generation_config.json")["lang_to_id"]
    assert len(languages) == 99
    assert languages["<|en|>"] == added["<|en|>"]


def test_english_only_weights_are_told_no_languages(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tiny.en", multilingual=False)
    source = Source.of(open_checkpoint(str(tmp_path / "tiny.en")), tmp_path / "kept")
    copy = prepared(CHECKPOINT, source, PYTHON)
    generation = json.loads((copy / "generation_config.json").read_text())
    assert "lang_to_id" not in generation
    assert generation["is_multilingual"] is False


def test_the_margin_stands_beside_every_format(source: Source, made: Path) -> None:
    assert margin_beside(made.parent) == 0.5
    assert margin_beside(source.folder / CHECKPOINT) == 0.5
    assert margin_beside(source.folder) == 0.0


def test_ours_keeps_what_the_checkpoint_can_take(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    write_mark(tmp_path / "tiny", "native", {"margin": 0.5})
    source = Source.of(open_checkpoint(str(tmp_path / "tiny")), tmp_path / "kept")
    model = prepared("rtap-fp32", source, PYTHON)
    assert json.loads((model / "manifest.json").read_text())["elastic"] == "native"
    assert prepared("rtap-int8", source, PYTHON) == source.folder / "rtap-int8"
    assert not (source.folder / CHECKPOINT).exists(), "only peers need a copy"


def test_is_made_once(source: Source, made: Path) -> None:
    before = made.stat()
    assert prepared("ggml-q8_0", source, PYTHON) == made
    assert made.stat() == before


def test_an_adapter_reaches_every_format_and_is_kept_elsewhere(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    checkpoint = open_checkpoint(str(tmp_path / "tiny"))
    name = "encoder.layer_norm.bias"
    write_adapter(
        tmp_path / "adapter.safetensors",
        {f"{name}.delta": np.ones(checkpoint.config.d_model)},
        {
            "checkpoint": checkpoint.digest,
            "source": "tiny",
            "elastic": "native",
            "margin": "0.5",
            "record": "{}",
        },
    )
    adapted = checkpoint.adapted(Adapter.read(tmp_path / "adapter.safetensors"))
    stock, other = (Source.of(one, tmp_path / "kept") for one in (checkpoint, adapted))
    assert stock.folder != other.folder
    assert (stock.margin, other.margin) == (0.0, 0.5)
    before, after = (
        open_checkpoint(str(prepared(CHECKPOINT, one, PYTHON))).tensor(name)
        for one in (stock, other)
    )
    np.testing.assert_allclose(after, before + 1, atol=1e-6)


def test_other_files_are_kept_elsewhere(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "tiny")
    checkpoint = open_checkpoint(str(tmp_path / "tiny"))
    first = Source.of(checkpoint, tmp_path).folder
    assert Source.of(checkpoint, tmp_path).folder == first
    os.utime(tmp_path / "tiny/model.safetensors", (1, 1))
    assert Source.of(checkpoint, tmp_path).folder != first
    assert first.name.startswith("tiny-")


@pytest.mark.parametrize("damage", ["shorter", "gone", "no record", "other record"])
def test_is_made_again_when_damaged(source: Source, made: Path, damage: str) -> None:
    whole, record = made.read_bytes(), made.with_name("benchmark.json")
    if damage == "shorter":
        made.write_bytes(whole[:-1])
    elif damage == "gone":
        made.unlink()
    elif damage == "no record":
        record.unlink()
        made.write_bytes(b"")
    else:
        record.write_text("[]")
        made.write_bytes(b"")
    assert prepared("ggml-q8_0", source, PYTHON).read_bytes() == whole


def test_is_made_again_when_interrupted(
    source: Source, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made.read_bytes()
    made.unlink()

    def interrupted(_: Checkpoint, output: Path) -> None:
        output.write_bytes(whole[:1000])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ggml, "write_ggml", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepared("ggml-q8_0", source, PYTHON)
    assert not made.parent.exists()
    assert prepared("ggml-q8_0", source, PYTHON).read_bytes() == whole


def test_is_made_again_when_its_source_changes(
    source: Source, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = made.with_name("marker")
    marker.touch()
    kind = weights.FORMATS["ggml-q8_0"]
    changed = {**weights.FORMATS, "ggml-q8_0": weights.Format(kind.make, kind.file)}
    monkeypatch.setattr(weights, "FORMATS", changed)
    assert prepared("ggml-q8_0", source, PYTHON).is_file()
    assert not marker.exists()


def test_leaves_nothing_beside_the_formats(source: Source) -> None:
    assert sorted(path.name for path in source.folder.iterdir()) == [CHECKPOINT, "ggml-q8_0"]


def test_size_is_that_of_the_weights_alone(made: Path) -> None:
    bytes_ = (made.parent / GGML_FILE).stat().st_size
    assert size_on_disk(made) == bytes_
    assert bytes_ <= size_on_disk(made.parent) < bytes_ + 100


def test_refuses_unknown_names(source: Source) -> None:
    with pytest.raises(ConfigurationError, match="gguf is no format"):
        prepared("gguf", source, PYTHON)


def test_a_missing_converter_is_told_in_one_line(source: Source, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named ctranslate2' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"ctranslate2.*--install") as failure:
        prepared("ctranslate2-int8", source, python)
    assert "\n" not in str(failure.value)
