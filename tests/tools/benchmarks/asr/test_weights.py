import sys
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.benchmarks.asr import ggml, weights
from tools.benchmarks.asr.weights import CHECKPOINT, GGML_FILE, prepared, size_on_disk
from tools.export.checkpoint import Checkpoint

END_OF_TEXT = 50257
PYTHON = Path(sys.executable)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("weights")
    prepared("ggml-q8_0", "mini", place, PYTHON)
    return place


def test_tokens_that_are_no_text_never_win(place: Path) -> None:
    embeddings = Checkpoint.open(str(place / "mini" / CHECKPOINT)).tensor(
        "decoder.embed_tokens.weight"
    )
    text, other = abs(embeddings[:END_OF_TEXT]).mean(), abs(embeddings[END_OF_TEXT:]).mean()
    assert 0 < other < 0.01 * text


def test_last_text_token_is_empty_as_in_the_multilingual_vocabulary(place: Path) -> None:
    document = Checkpoint.open(str(place / "mini" / CHECKPOINT)).read_json("tokenizer.json")
    assert document["model"]["vocab"][""] == END_OF_TEXT - 1


def test_is_made_once(place: Path) -> None:
    path = place / "mini/ggml-q8_0" / GGML_FILE
    before = path.stat()
    assert prepared("ggml-q8_0", "mini", place, PYTHON) == path
    assert path.stat() == before


@pytest.mark.parametrize("damage", ["shorter", "gone", "no record", "other record"])
def test_is_made_again_when_damaged(place: Path, damage: str) -> None:
    path = place / "mini/ggml-q8_0" / GGML_FILE
    whole, record = path.read_bytes(), path.with_name("benchmark.json")
    if damage == "shorter":
        path.write_bytes(whole[:-1])
    elif damage == "gone":
        path.unlink()
    elif damage == "no record":
        record.unlink()
        path.write_bytes(b"")
    else:
        record.write_text("[]")
        path.write_bytes(b"")
    assert prepared("ggml-q8_0", "mini", place, PYTHON).read_bytes() == whole


def test_is_made_again_when_interrupted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place / "mini/ggml-q8_0"
    whole = (folder / GGML_FILE).read_bytes()
    (folder / GGML_FILE).unlink()

    def interrupted(_: Checkpoint, output: Path) -> None:
        output.write_bytes(whole[:1000])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ggml, "write_ggml", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepared("ggml-q8_0", "mini", place, PYTHON)
    assert not folder.exists()
    assert prepared("ggml-q8_0", "mini", place, PYTHON).read_bytes() == whole


def test_is_made_again_when_its_source_changes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = prepared("ggml-q8_0", "mini", place, PYTHON).with_name("marker")
    marker.touch()
    kind = weights.FORMATS["ggml-q8_0"]
    changed = {**weights.FORMATS, "ggml-q8_0": weights.Format(kind.make, kind.file)}
    monkeypatch.setattr(weights, "FORMATS", changed)
    assert prepared("ggml-q8_0", "mini", place, PYTHON).is_file()
    assert not marker.exists()


def test_leaves_nothing_beside_the_formats(place: Path) -> None:
    assert sorted(path.name for path in (place / "mini").iterdir()) == [CHECKPOINT, "ggml-q8_0"]


def test_size_is_that_of_the_weights_alone(place: Path) -> None:
    folder = place / "mini/ggml-q8_0"
    bytes_ = (folder / GGML_FILE).stat().st_size
    assert size_on_disk(folder / GGML_FILE) == bytes_
    assert size_on_disk(folder) == bytes_


@pytest.mark.parametrize(
    ("format_", "size", "message"),
    [("gguf", "mini", "gguf is no format"), ("ggml-q8_0", "huge", "huge is no size")],
)
def test_refuses_unknown_names(tmp_path: Path, format_: str, size: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        prepared(format_, size, tmp_path, PYTHON)
    assert not list(tmp_path.iterdir())


def test_a_missing_converter_is_told_in_one_line(place: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named ctranslate2' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"ctranslate2.*--install") as failure:
        prepared("ctranslate2-int8", "mini", place, python)
    assert "\n" not in str(failure.value)
