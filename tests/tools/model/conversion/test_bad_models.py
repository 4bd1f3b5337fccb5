"""Model directories that are damaged, foreign or too new: one line that names the fix, and status 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from rtap.__main__ import main
from rtap.whisper.model_directory import (
    MANIFEST_FORMAT,
    MANIFEST_NAME,
    ModelDirectory,
    file_sha256,
)
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.graph_writer import GraphWriter
from tools.model.conversion.sources import open_checkpoint
from tools.root import ROOT

AUDIO = str(ROOT / "tests/audio/navigate_home.wav")
CONVERT = "tools/convert_whisper"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole")
    tiny_checkpoint(place / "source")
    convert(open_checkpoint(str(place / "source")), place / "graphs", verify=False)
    return place / "graphs"


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def vouch(model: Path, *names: str) -> None:
    """Make the manifest agree with what the files now hold."""
    document = json.loads((model / MANIFEST_NAME).read_text())
    for name in names:
        path = model / name
        document["files"][name] = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
    (model / MANIFEST_NAME).write_text(json.dumps(document))


def change_manifest(model: Path, **changes: object) -> None:
    document = json.loads((model / MANIFEST_NAME).read_text())
    (model / MANIFEST_NAME).write_text(json.dumps(document | changes))


def flip_one_bit(path: Path) -> None:
    # In a weight, not in the padding between two of them.
    with path.open("r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def foreign_graph(path: Path) -> None:
    """A valid graph that has nothing to do with speech."""
    with GraphWriter(path) as graph:
        graph.input("pixels", TensorProto.FLOAT, [1, 3, "height", "width"])
        graph.node("Relu", ["pixels"], graph.output("classes", TensorProto.FLOAT, None))  # type: ignore[arg-type]
        graph.constant("unused", np.zeros(1000, np.float32))
        graph.save("classifier")
    vouch(path.parent, path.name, f"{path.name}.data")


def no_graph(path: Path) -> None:
    path.write_bytes(b"not a graph")
    vouch(path.parent, path.name)


def replaced_json(name: str, text: str) -> Callable[[Path], None]:
    def damage(model: Path) -> None:
        (model / name).write_text(text)
        vouch(model, name)

    return damage


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing weights": (
        lambda model: (model / "decoder.onnx.data").unlink(),
        "decoder.onnx.data is missing",
    ),
    "missing graph": (lambda model: (model / "encoder.onnx").unlink(), "encoder.onnx is missing"),
    "missing tokenizer": (
        lambda model: (model / "tokenizer.json").unlink(),
        "tokenizer.json is missing",
    ),
    "one bit": (
        lambda model: flip_one_bit(model / "decoder.onnx.data"),
        "decoder.onnx.data is damaged (its SHA-256 is not the manifest's): copy the model again",
    ),
    "truncated weights": (lambda model: truncate(model / "encoder.onnx.data"), "bytes instead of"),
    "empty graph": (
        lambda model: (model / "decoder.onnx").write_bytes(b""),
        "has 0 bytes instead of",
    ),
    "no manifest": (lambda model: (model / MANIFEST_NAME).unlink(), "not a converted model"),
    "garbage in the manifest": (
        lambda model: (model / MANIFEST_NAME).write_bytes(os.urandom(100) + b"\xff"),
        f"{MANIFEST_NAME} cannot be read",
    ),
    "truncated manifest": (
        lambda model: truncate_half(model / MANIFEST_NAME),
        f"{MANIFEST_NAME} is damaged",
    ),
    "manifest is a list": (
        lambda model: (model / MANIFEST_NAME).write_text("[]"),
        f"{MANIFEST_NAME} is damaged",
    ),
    "newer manifest": (
        lambda model: change_manifest(model, format=MANIFEST_FORMAT + 1),
        f"has manifest format {MANIFEST_FORMAT + 1}, this version reads {MANIFEST_FORMAT}",
    ),
    "unknown precision": (
        lambda model: change_manifest(model, precision="int3"),
        "precision is 'int3', not one of fp32",
    ),
    "a file outside": (
        lambda model: change_manifest(model, files={"../secret": {"bytes": 1, "sha256": ""}}),
        "which is outside it",
    ),
}


def truncate_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def changed_config(**changes: int) -> Callable[[Path], None]:
    def damage(model: Path) -> None:
        config = json.loads((model / "config.json").read_text())
        replaced_json("config.json", json.dumps(config | changes))(model)

    return damage


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "foreign decoder": (
        lambda model: foreign_graph(model / "decoder.onnx"),
        "decoder.onnx is not a graph of this engine (it has no cross_key.0)",
    ),
    "foreign encoder": (
        lambda model: foreign_graph(model / "encoder.onnx"),
        "encoder.onnx is not a graph of this engine (it has no cross_key.0)",
    ),
    "no graph": (lambda model: no_graph(model / "decoder.onnx"), "ONNX Runtime"),
    "not whisper's config": (
        replaced_json("config.json", '{"model_type": "bert"}'),
        "config.json is not a Whisper configuration",
    ),
    "config of another width": (
        changed_config(d_model=64),
        "encoder.onnx is of another size than config.json says (cross_key.0 has 16 instead of 32)",
    ),
    "config of more mels": (changed_config(num_mel_bins=128), "has 80 instead of 128"),
    "config of more words": (changed_config(vocab_size=51865), "instead of 51865"),
    "config of more layers": (changed_config(decoder_layers=2), "it has no cross_key.1"),
    "tokenizer that is none": (replaced_json("tokenizer.json", "{}"), "tokenizer.json is damaged"),
    "preprocessor that is none": (
        replaced_json("preprocessor_config.json", "{"),
        "preprocessor_config.json cannot be read",
    ),
    "generation config that is none": (
        replaced_json("generation_config.json", '{"suppress_tokens": ["a"]}'),
        "generation_config.json is damaged",
    ),
    "a layout that is not there": (
        lambda model: change_manifest(model, layout="optimum"),
        "encoder_model.onnx is missing, and not listed in manifest.json",
    ),
}
"""What the manifest vouches for all the same; only loading the model can tell."""


def assert_one_line(err: str, message: str) -> None:
    assert err.startswith("rtap: error: ")
    assert len(err.splitlines()) == 1
    assert message in err
    assert CONVERT in err
    assert "Traceback" not in err


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("command", ["transcribe", "info"])
def test_damage(command: str, kind: str, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, message = DAMAGE[kind]
    damage(model)
    arguments = {
        "transcribe": ["transcribe", AUDIO, "--model", str(model)],
        "info": ["models", "info", str(model)],
    }
    assert main(arguments[command]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert_one_line(err, message)


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign(kind: str, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    damage, message = FOREIGN[kind]
    damage(model)
    ModelDirectory.open(model).verify()
    assert main(["transcribe", AUDIO, "--model", str(model)]) == 2
    # capfd, because ONNX Runtime writes past Python.
    out, err = capfd.readouterr()
    assert out == ""
    assert_one_line(err, message)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "decoder.onnx",
        "decoder.onnx.data",
        "encoder.onnx",
        "encoder.onnx.data",
        "generation_config.json",
        "preprocessor_config.json",
        "tokenizer.json",
    ],
)
def test_a_file_that_the_manifest_leaves_out(
    name: str, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody could tell whether it is damaged, and the model passed for a healthy one."""
    manifest = json.loads((model / MANIFEST_NAME).read_text())
    del manifest["files"][name]
    change_manifest(model, files=manifest["files"])
    assert main(["transcribe", AUDIO, "--model", str(model)]) == 2
    assert_one_line(capfd.readouterr().err, f"{name} is not listed in manifest.json")


def test_files_that_nobody_opens_need_not_be_listed(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (model / "notes.txt").write_text("from the garage")
    assert main(["transcribe", AUDIO, "--model", str(model), "--language", "en"]) == 0


def test_whole_models_are_not_complained_of(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", str(model)]) == 0
    assert main(["transcribe", AUDIO, "--model", str(model), "--language", "en"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_optimum_directory_without_one_graph(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tiny_checkpoint(tmp_path / "source", max_source_positions=1500)
    model = tmp_path / "model"
    convert(open_checkpoint(str(tmp_path / "source")), model, layout="optimum", verify=False)
    (model / "decoder_with_past_model.onnx").unlink()
    capfd.readouterr()
    assert main(["transcribe", AUDIO, "--model", str(model)]) == 2
    assert_one_line(capfd.readouterr().err, "decoder_with_past_model.onnx is missing")


def test_a_damaged_model_leaves_the_output_alone(model: Path, tmp_path: Path) -> None:
    """As a user sees it: a process of its own, and the transcripts of yesterday stay."""
    flip_one_bit(model / "decoder.onnx.data")
    output = tmp_path / "transcripts"
    output.mkdir()
    (output / "navigate_home.txt").write_text("yesterday")
    command = [sys.executable, "-m", "rtap", "transcribe", AUDIO, "--model", str(model)]
    done = subprocess.run(
        [*command, "--output-dir", str(output)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "decoder.onnx.data is damaged")
    assert (output / "navigate_home.txt").read_text() == "yesterday"
