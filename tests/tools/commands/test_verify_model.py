"""tools/verify_model: passes what is right and, above all, does not pass what is wrong."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from rtap.whisper.model_directory import (
    MANIFEST_NAME,
    FileRecord,
    Manifest,
    ModelDirectory,
    file_sha256,
)
from tests.tools.conftest import Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import verify_model
from tools.model.conversion.convert import convert
from tools.model.conversion.manifest import store_manifest
from tools.model.conversion.parity import TOLERANCES, DecoderParity, EncoderParity, Parity
from tools.model.conversion.sources import open_checkpoint


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny checkpoint and its model."""
    place = tmp_path_factory.mktemp("pair")
    tiny_checkpoint(place / "source")
    convert(open_checkpoint(str(place / "source")), place / "graphs", verify=False)
    return place / "source", place / "graphs"


@pytest.fixture
def source(pair: tuple[Path, Path]) -> Path:
    return pair[0]


@pytest.fixture
def model(pair: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(pair[1], tmp_path / "graphs"))


def overwrite(model: Path, graph: str, tensor: str, value: float) -> None:
    """Change one weight, and the manifest so that it vouches for it."""
    proto = onnx.load(model / graph, load_external_data=False)
    found = next(entry for entry in proto.graph.initializer if entry.name == tensor)
    place = {entry.key: entry.value for entry in found.external_data}
    with (model / place["location"]).open("r+b") as file:
        file.seek(int(place["offset"]))
        file.write(np.float32(value).tobytes())
    manifest = ModelDirectory.open(model).manifest
    name = place["location"]
    record = FileRecord((model / name).stat().st_size, file_sha256(model / name))
    document = json.loads(manifest.to_json())
    document["files"][name] = {"bytes": record.bytes, "sha256": record.sha256}
    store_manifest(model, Manifest.from_json(json.dumps(document), model))
    ModelDirectory.open(model).verify()


def parity(**decoder: float) -> Parity:
    figures = {"equal_tokens": 100, "max_difference": 0.0, "relative_error": 0.0} | decoder
    return Parity(
        precision="fp32",
        encoder=(EncoderParity(3, 0.0, 0.0),),
        decoder=(DecoderParity(seconds=3, steps=100, distinct_tokens=50, **figures),),  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_the_real_vocabulary_at_all_lengths(
    converted: Path, checkpoint: Path, start: Start
) -> None:
    done = start(
        verify_model.main, converted, "--checkpoint", checkpoint, "--steps", "100", "--json"
    )
    assert (done.status, done.complaints) == (0, [])
    report = json.loads(done.out)
    assert report["passed"]
    assert [part["seconds"] for part in report["encoder"]] == [2, 5, 10, 30]
    assert [part["seconds"] for part in report["decoder"]] == [3, 30]
    for part in report["decoder"]:
        assert part["equal_tokens"] == part["steps"] == 100
        assert part["distinct_tokens"] > 20
    for part in report["encoder"] + report["decoder"]:
        assert part["max_difference"] < 1e-3


def test_table(source: Path, model: Path, start: Start) -> None:
    done = start(verify_model.main, model, "--checkpoint", source, "--steps", "5")
    assert (done.status, done.complaints) == (0, [])
    rows = [line.split() for line in done.out.splitlines()]
    assert ["decoder", "2", "s", "5/5"] in [row[:4] for row in rows]
    assert done.out.splitlines()[-1].startswith("tolerance of fp32: 100% of the tokens")


@pytest.mark.parametrize(
    ("graph", "tensor", "value"),
    [
        ("decoder.onnx", "decoder.layers.0.fc1.weight", 50.0),
        ("decoder.onnx", "embed_tokens", float("nan")),
        ("encoder.onnx", "encoder.layers.0.fc1.weight", 50.0),
        ("encoder.onnx", "encoder.layers.0.fc1.weight", float("nan")),
    ],
)
def test_one_wrong_weight(
    graph: str, tensor: str, value: float, source: Path, model: Path, start: Start
) -> None:
    overwrite(model, graph, tensor, value)
    done = start(verify_model.main, model, "--checkpoint", source, "--steps", "20", "--json")
    assert done.status == 1
    assert done.complaints
    for line in done.complaints:
        assert line.startswith("verify_model: outside the tolerance: ")
    # Whatever came out, it is JSON by the letter: no NaN.
    assert not json.loads(done.out, parse_constant=pytest.fail)["passed"]


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ({"d_model": 64}, "width"),
        ({"decoder_layers": 2}, "layers"),
        ({"num_mel_bins": 128}, "mels"),
        ({"decoder_attention_heads": 4}, "heads"),
        ({"max_source_positions": 200}, "length"),
        ({"vocab_size": 1999}, "vocabulary"),
    ],
)
def test_checkpoint_of_another_shape(
    shape: dict[str, Any], what: str, model: Path, tmp_path: Path, start: Start
) -> None:
    tiny_checkpoint(tmp_path / what, **shape)
    done = start(verify_model.main, model, "--checkpoint", tmp_path / what)
    assert (done.status, done.out) == (2, "")
    assert done.complaints == [
        f"tool: error: {model} was not made from {what}: give its own checkpoint"
    ]


def test_checkpoint_of_the_same_shape(model: Path, tmp_path: Path, start: Start) -> None:
    tiny_checkpoint(tmp_path / "other", seed=1)
    done = start(verify_model.main, model, "--checkpoint", tmp_path / "other")
    assert done.status == 1
    assert any("tokens" in line for line in done.complaints)


def test_record(source: Path, model: Path, start: Start) -> None:
    before = ModelDirectory.open(model).manifest
    assert not before.parity
    done = start(
        verify_model.main, model, "--checkpoint", source, "--steps", "7", "--record", "--json"
    )
    assert done.status == 0
    directory = ModelDirectory.open(model)
    directory.verify()
    assert directory.manifest.parity == json.loads(done.out)
    assert directory.manifest.files == before.files
    assert directory.manifest.parity["decoder"][0]["steps"] == 7
    assert not [path.name for path in model.iterdir() if path.name.endswith(".new")]


def test_a_failure_is_recorded_as_one(source: Path, model: Path, start: Start) -> None:
    overwrite(model, "decoder.onnx", "decoder.layers.0.fc1.weight", float("nan"))
    assert start(verify_model.main, model, "--checkpoint", source, "--record").status == 1
    assert ModelDirectory.open(model).manifest.parity["passed"] is False


def test_more_steps_than_the_model_has(source: Path, model: Path, start: Start) -> None:
    done = start(verify_model.main, model, "--checkpoint", source, "--steps", "1000", "--json")
    assert done.status == 0
    # 48 positions, of which the prompt takes 4.
    assert json.loads(done.out)["decoder"][0]["steps"] == 44


@pytest.mark.parametrize("steps", ["0", "-1", "many", "1.5"])
def test_steps_that_are_none(steps: str, source: Path, model: Path, start: Start) -> None:
    done = start(verify_model.main, model, "--checkpoint", source, f"--steps={steps}")
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "is not a number from 1 on" in done.err


def test_what_is_no_model(source: Path, tmp_path: Path, start: Start) -> None:
    done = start(verify_model.main, tmp_path, "--checkpoint", source)
    assert done.status == 2
    assert f"{tmp_path} has no {MANIFEST_NAME}" in done.complaints[0]


@pytest.mark.parametrize(
    ("figures", "lines"),
    [
        ({}, []),
        ({"equal_tokens": 99}, ["3 s: only 99 of 100 tokens"]),
        ({"relative_error": 2e-4}, ["3 s: relative error 0.0002"]),
        ({"max_difference": 0.002}, ["3 s: difference 0.002"]),
        ({"max_difference": 0.002, "largest": 3.0}, []),
        ({"relative_error": math.nan}, ["3 s: relative error nan"]),
        ({"max_difference": math.nan}, ["3 s: difference nan"]),
    ],
)
def test_tolerance(figures: dict[str, float], lines: list[str]) -> None:
    assert parity(**figures).failures == lines
    assert parity(**figures).to_json()["passed"] is not bool(lines)


def test_every_precision_has_a_tolerance_and_fp32_the_least() -> None:
    smallest = min(TOLERANCES, key=lambda precision: TOLERANCES[precision].logits)
    assert smallest == "fp32"
    assert TOLERANCES["fp32"].tokens == 1.0
    assert TOLERANCES["fp32"].absolute == 1e-3
