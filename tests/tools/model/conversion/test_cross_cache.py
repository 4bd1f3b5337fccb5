"""Keys and values of the audio in 8 bits: the graphs, and decoding with them against fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from rtap.whisper.cross_cache import ROOM, CrossTensors
from rtap.whisper.load_model import load_model
from rtap.whisper.model import SpeechModel
from rtap.whisper.model_directory import ModelDirectory
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.quantize import quantize
from tools.model.conversion.sources import open_checkpoint

MOST_DIFFERENCE = 0.1
"""Of the logits, over their root mean square: what int8 is allowed in tools/verify_model."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("cross-cache")
    # Wide enough for its rounding errors to average out, and with room for long prompts.
    shape: dict[str, Any] = {"d_model": 128, "decoder_layers": 2, "max_target_positions": 96}
    tiny_checkpoint(place / "source", **shape)
    convert(open_checkpoint(str(place / "source")), place / "fp32", verify=False)
    quantize(ModelDirectory.open(place / "fp32"), place / "int8", "int8")
    return {name: place / name for name in ("fp32", "int8")}


@pytest.fixture(scope="module")
def models(places: dict[str, Path]) -> dict[str, SpeechModel]:
    return {name: load_model(ModelDirectory.open(path), 1) for name, path in places.items()}


def mel(model: SpeechModel, frames: int, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return random.standard_normal((model.dimensions.mels, frames)).astype(np.float32)


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)) / np.sqrt(np.mean(other**2)))


def types(path: Path) -> dict[str, int]:
    graph = onnx.load(path, load_external_data=False).graph
    return {value.name: value.type.tensor_type.elem_type for value in [*graph.input, *graph.output]}


def test_what_crosses_is_int8(places: dict[str, Path]) -> None:
    for name in ("encoder.onnx", "decoder.onnx"):
        before, after = (types(places[kind] / name) for kind in ("fp32", "int8"))
        for key in ("cross_key.0", "cross_value.1"):
            assert before[key] == onnx.TensorProto.FLOAT
            assert after[key] == onnx.TensorProto.INT8
            assert after[f"{key}.scale"] == onnx.TensorProto.FLOAT
    decoder = types(places["int8"] / "decoder.onnx")
    assert {"cross_mask", "cross_new", "cross_last", "cross_total"} <= decoder.keys()
    assert decoder["logits"] == decoder["present_key.0"] == onnx.TensorProto.FLOAT


def test_each_channel_uses_all_of_its_eight_bits(models: dict[str, SpeechModel]) -> None:
    encoded = models["int8"].encode(mel(models["int8"], 120))
    assert isinstance(encoded, CrossTensors)
    for tensor in encoded.tensors.values():
        assert tensor.dtype == np.int8
        largest = np.abs(tensor.astype(int)).max(axis=2)
        assert largest.min() == largest.max() == 127


def test_a_silent_channel_is_zero(models: dict[str, SpeechModel]) -> None:
    encoded = models["int8"].encode(np.zeros((models["int8"].dimensions.mels, 40), np.float32))
    assert isinstance(encoded, CrossTensors)
    for name in encoded.tensors:
        assert np.isfinite(encoded.floats(name)).all()


def test_floats_are_those_of_fp32(models: dict[str, SpeechModel]) -> None:
    found, expected = (model.encode(mel(model, 120)) for model in models.values())
    assert isinstance(found, CrossTensors)
    assert isinstance(expected, CrossTensors)
    for name in found.tensors:
        assert found.floats(name).shape == expected.floats(name).shape
        assert difference(found.floats(name), expected.floats(name)) < MOST_DIFFERENCE


@pytest.mark.parametrize("tokens", [1, 4, ROOM, ROOM + 1, 2 * ROOM + 5])
def test_prompts_of_any_length(models: dict[str, SpeechModel], tokens: int) -> None:
    prompt = [7 * index % 250 for index in range(tokens)]
    rows = sorted({0, tokens // 2, tokens - 1})
    logits = {}
    for name, model in models.items():
        logits[name] = model.decode(model.encode(mel(model, 120))).prompt(prompt, rows)
    assert logits["int8"].shape == (len(rows), models["int8"].dimensions.vocabulary)
    for found, expected in zip(logits["int8"], logits["fp32"], strict=True):
        assert difference(found, expected) < MOST_DIFFERENCE


@pytest.mark.parametrize("frames", [2, 6, 120, 200])
@pytest.mark.parametrize("beams", [1, 3])
def test_steps(models: dict[str, SpeechModel], frames: int, beams: int) -> None:
    """The columns behind the audio, which every run overwrites, must never count."""
    logits = {}
    for name, model in models.items():
        decoding = model.decode(model.encode(mel(model, frames)), beams)
        decoding.prompt([1, 2, 3, 4, 5], [4])
        decoding.fan_out()
        steps = [[10 * step + beam for beam in range(beams)] for step in range(6)]
        logits[name] = [decoding.step(np.array(step)) for step in steps][-1].copy()
    assert difference(logits["int8"], logits["fp32"]) < MOST_DIFFERENCE


def test_a_shorter_audio_after_a_longer_one(models: dict[str, SpeechModel]) -> None:
    model = models["int8"]
    first = model.decode(model.encode(mel(model, 40, seed=1))).prompt([1, 2, 3], [2])
    model.decode(model.encode(mel(model, 200, seed=2))).prompt([1] * 40, [39])
    again = model.decode(model.encode(mel(model, 40, seed=1))).prompt([1, 2, 3], [2])
    np.testing.assert_array_equal(again, first)


def test_alignment(models: dict[str, SpeechModel]) -> None:
    tokens = [5 * index % 250 for index in range(ROOM + 8)]
    found, expected = (
        model.alignment_weights(model.encode(mel(model, 120)), tokens, 50)
        for model in models.values()
    )
    for one, other in zip(reversed(found), reversed(expected), strict=True):
        assert one.shape == other.shape
        assert difference(one, other) < MOST_DIFFERENCE


@pytest.mark.parametrize("count", [2, 5, ROOM + 8])
def test_the_last_look_is_that_of_the_alignment(models: dict[str, SpeechModel], count: int) -> None:
    tokens = [5 * index % 250 for index in range(count)]
    for model in models.values():
        encoded = model.encode(mel(model, 120))
        weights, _ = model.alignment_weights(encoded, tokens, 50)
        found = model.last_attention(encoded, tokens, 50)
        np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)
        assert difference(found, weights[:, -2]) < MOST_DIFFERENCE
