"""faster-whisper's directories: the same tensors, the same texts, and every kind that is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import WhisperForConditionalGeneration

from rtap.errors import ModelError
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.tokenizer import WhisperTokenizer
from tests.tools.conftest import Start
from tests.tools.model.conversion.ctranslate2_files import (
    SETTINGS,
    tiny_ctranslate2,
    variables_of,
    write_model,
)
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import convert_whisper
from tools.model.conversion.convert import convert
from tools.model.conversion.in_torch import load_network
from tools.model.conversion.sources import open_checkpoint
from tools.root import ROOT

WITHOUT_TORCH = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "safetensors", "ctranslate2"):
            raise ImportError(name)

sys.meta_path.insert(0, Nothing())
from tools.console.command_line import run
from tools.commands.convert_whisper import main
run(main)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "faster-whisper-tiniest"


def test_float32_gives_every_tensor_exactly(path: Path) -> None:
    model = tiny_ctranslate2(path, "float32", encoder_layers=2, decoder_layers=3)
    opened = open_checkpoint(str(path))
    named = dict(model.model.named_parameters())
    assert opened.shapes() == {name: tuple(tensor.shape) for name, tensor in named.items()}
    for name, parameter in named.items():
        np.testing.assert_array_equal(opened.tensor(name), parameter.detach().numpy(), name)
    assert opened.parameters() == sum(parameter.numel() for parameter in named.values())


def test_float16_is_the_checkpoint_rounded(path: Path) -> None:
    model = tiny_ctranslate2(path)
    opened = open_checkpoint(str(path))
    for name, parameter in model.model.named_parameters():
        expected = parameter.detach().numpy().astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(opened.tensor(name), expected, name)


def test_the_sizes_are_those_of_transformers(path: Path) -> None:
    tiny_ctranslate2(path, encoder_layers=2, decoder_attention_heads=4, encoder_ffn_dim=40)
    opened = open_checkpoint(str(path)).config_json
    written = json.loads(path.with_name(f"{path.name}-hub").joinpath("config.json").read_text())
    same = set(opened) & set(written)
    assert {name: opened[name] for name in same} == {name: written[name] for name in same}
    assert {"vocab_size", "d_model", "max_source_positions", "decoder_start_token_id"} <= same


def test_transformers_gets_all_of_its_tensors(path: Path) -> None:
    model = tiny_ctranslate2(path, "float32")
    network = load_network(open_checkpoint(str(path)))
    assert isinstance(network, WhisperForConditionalGeneration)
    for (name, one), other in zip(
        model.state_dict().items(), network.state_dict().values(), strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), name)


def test_converted_it_computes_what_torch_computes(path: Path, tmp_path: Path) -> None:
    tiny_ctranslate2(path)
    manifest = convert(open_checkpoint(str(path)), tmp_path / "graphs")
    assert manifest.parity["passed"]
    directory = ModelDirectory.open(tmp_path / "graphs")
    generation = directory.read_json("generation_config.json")
    assert generation["alignment_heads"] == SETTINGS["alignment_heads"]
    assert generation["suppress_tokens"] == SETTINGS["suppress_ids"]
    assert generation["begin_suppress_tokens"] == SETTINGS["suppress_ids_begin"]
    assert directory.read_json("preprocessor_config.json")["feature_size"] == 80
    tokenizer = WhisperTokenizer.from_directory(directory)
    assert tokenizer.is_multilingual
    assert generation["lang_to_id"]["<|de|>"] == tokenizer.languages["de"]


def test_both_layouts_give_the_same_graphs(path: Path, tmp_path: Path) -> None:
    tiny_ctranslate2(path, "float32")
    for source in (path, path.with_name(f"{path.name}-hub")):
        convert(open_checkpoint(str(source)), tmp_path / f"{source.name}.out", verify=False)
    one, other = (
        ModelDirectory.open(tmp_path / f"{name}.out").manifest.files
        for name in (path.name, f"{path.name}-hub")
    )
    for graph in ("encoder.onnx.data", "decoder.onnx.data", "encoder.onnx", "decoder.onnx"):
        assert one[graph] == other[graph]


def test_without_torch_and_transformers(path: Path, tmp_path: Path) -> None:
    tiny_ctranslate2(path)
    command = [sys.executable, "-c", WITHOUT_TORCH, str(path), str(tmp_path / "graphs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if not line.endswith(" ...")]
    assert len(notes) == 1
    assert "torch and transformers are not installed" in notes[0]
    assert ModelDirectory.open(tmp_path / "graphs").manifest.parity == {}


def test_safetensors_without_torch(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "hub")
    command = [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "hub"), str(tmp_path / "graphs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["txt", "json"])
def test_a_tokenizer_is_made_of_the_vocabulary(kind: str, path: Path, tmp_path: Path) -> None:
    tiny_ctranslate2(path)
    expected = json.loads((path / "tokenizer.json").read_text())
    (path / "tokenizer.json").unlink()
    if kind == "json":
        words = (path / "vocabulary.txt").read_text().split("\n")
        (path / "vocabulary.txt").unlink()
        (path / "vocabulary.json").write_text(json.dumps(words))
    convert(open_checkpoint(str(path)), tmp_path / "graphs", verify=False)
    made = json.loads((tmp_path / "graphs/tokenizer.json").read_text())
    assert made["model"]["vocab"] == expected["model"]["vocab"]
    assert made["model"]["merges"] == expected["model"]["merges"]
    ids = {token["content"]: token["id"] for token in made["added_tokens"]}
    assert ids == {token["content"]: token["id"] for token in expected["added_tokens"]}


def quantised(dtype: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        name = "encoder/layer_0/ffn/linear_0/weight"
        write_model(path / "model.bin", {name: np.ones((4, 4), dtype)})

    return write


def written(name: str, text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        (path / name).write_text(text)

    return write


def removed(*names: str) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        for name in names:
            (path / name).unlink()

    return remove


def truncated(path: Path) -> None:
    os.truncate(path / "model.bin", (path / "model.bin").stat().st_size // 2)


def biased_keys(path: Path) -> None:
    model = tiny_checkpoint(path.with_name("biased"))
    variables = variables_of(model.state_dict())
    variables["encoder/layer_0/self_attention/linear_0/bias"] += 1
    write_model(path / "model.bin", variables)


def only(name: str, dtype: str = "float32", **header: int | str) -> Callable[[Path], None]:
    return lambda path: write_model(
        path / "model.bin",
        {name: np.ones((4, 4), dtype)},
        **header,  # type: ignore[arg-type]
    )


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "int8": (quantised("int8"), r"is int8\), which cannot be undone: give the float16"),
    "int16": (quantised("int16"), r"is int16\), which cannot be undone"),
    "another type": (
        lambda path: write_model(
            path / "model.bin",
            {"a/weight": np.ones((2, 2), np.float32)},
            kinds={"a/weight": 9},
        ),
        r"is type 9\)",
    ),
    "truncated": (truncated, r"model\.bin cannot be read"),
    "empty": (written("model.bin", ""), "cannot be read"),
    "another version": (
        only("a/weight", version=3),
        "version 3 of CTranslate2's format, this reads 6",
    ),
    "another architecture": (
        only("a/weight", architecture="TransformerSpec"),
        "holds a 'TransformerSpec' and no Whisper",
    ),
    "another network": (only("encoder/layer_0/moe/weight"), "which no Whisper has"),
    "half of the tensors": (only("decoder/embeddings/weight"), "no whole Whisper"),
    "keys with a bias": (biased_keys, "bias on the keys"),
    "no config": (removed("config.json"), r"config\.json is missing"),
    "no words": (
        removed("tokenizer.json", "vocabulary.txt"),
        r"no tokenizer\.json, no vocabulary\.txt and no vocabulary\.json",
    ),
    "damaged tokenizer": (written("tokenizer.json", "{}"), r"tokenizer\.json cannot be read"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_one_line_and_nothing_appears(kind: str, path: Path, start: Start) -> None:
    tiny_ctranslate2(path)
    damage, message = DAMAGE[kind]
    damage(path)
    output = path.with_name("graphs")
    with pytest.raises(ModelError, match=message):
        convert(open_checkpoint(str(path)), output, verify=False)
    done = start(convert_whisper.main, path, output)
    assert done.status == 2
    assert len(done.complaints) == 1
    assert not output.exists()


def test_the_digest_is_the_same_for_both_layouts(path: Path) -> None:
    tiny_ctranslate2(path)
    hub = open_checkpoint(str(path.with_name(f"{path.name}-hub")))
    assert open_checkpoint(str(path)).digest == hub.digest
    tiny_checkpoint(path.with_name("another"), seed=1)
    assert open_checkpoint(str(path.with_name("another"))).digest != hub.digest
