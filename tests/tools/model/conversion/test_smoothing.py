"""Large channels of an encoder lend their size to the weights, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from rtap.whisper.features import LogMel
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.graph_quantization import quantize_int8
from tools.model.conversion.smoothing import smooth
from tools.model.conversion.sources import open_checkpoint

NORM = "encoder.layers.1.final_layer_norm"
READER = "encoder.layers.1.fc1.weight"
LARGE = {3: 256.0, 40: 64.0}
"""By how much these channels of that normalisation stand out, as a few of Whisper's do."""

MOST_DIFFERENCE = 0.05
"""Of keys and values, over their root mean square; 0.25 if nothing is made smoother."""


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder some of whose channels are large, and their weights small for it; never change it."""
    place = tmp_path_factory.mktemp("smoothing")
    tiny_checkpoint(place / "source", d_model=128, encoder_layers=2)
    convert(open_checkpoint(str(place / "source")), place / "even", verify=False)
    model = onnx.load(place / "even" / "encoder.onnx")
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for channel, factor in LARGE.items():
        for name in (f"{NORM}.weight", f"{NORM}.bias"):
            multiply(tensors[name], channel, factor)
        multiply(tensors[READER], channel, 1 / factor)
    path = place / "encoder.onnx"
    onnx.save(model, path)
    return path


def multiply(tensor: onnx.TensorProto, row: int, factor: float) -> None:
    array = numpy_helper.to_array(tensor).copy()
    array[row] *= factor
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def smoothed(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    smooth(model.graph, path)
    return model


def arrays(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def run(model: onnx.ModelProto | Path) -> list[NDArray[np.float32]]:
    content = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    audio = np.random.default_rng(7).standard_normal(8000, dtype=np.float32) / np.float32(10)
    mel = LogMel(session.get_inputs()[0].shape[1])(audio, 60)[np.newaxis]
    outputs: list[NDArray[np.float32]] = session.run(None, {"input_features": mel})
    return outputs


def test_the_same_numbers_come_out(uneven: Path) -> None:
    before, after = run(uneven), run(smoothed(uneven))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_large_channels_are_made_smaller(uneven: Path) -> None:
    before, after = (arrays(model) for model in (onnx.load(uneven), smoothed(uneven)))
    usual = np.median(np.abs(after[f"{NORM}.weight"]))
    for channel, factor in LARGE.items():
        gain = after[f"{NORM}.weight"][channel] / before[f"{NORM}.weight"][channel]
        assert gain < 4 / factor**0.5
        assert np.abs(after[f"{NORM}.weight"][channel]) < 64 * usual
        np.testing.assert_allclose(after[READER][channel] * gain, before[READER][channel], 1e-5)


def test_int8_bears_large_channels(uneven: Path, tmp_path: Path) -> None:
    quantize_int8(uneven, tmp_path / "encoder.onnx")
    expected, found = run(uneven), run(tmp_path / "encoder.onnx")
    count = len(expected)
    for exact, values, scales in zip(expected, found[:count], found[count:], strict=True):
        rounded = values[:, :, : exact.shape[2]] * scales
        error = np.sqrt(np.mean((rounded - exact) ** 2) / np.mean(exact**2))
        assert error < MOST_DIFFERENCE


def test_other_graphs_stay(uneven: Path) -> None:
    decoder = onnx.load(uneven.parent / "even" / "decoder.onnx")
    before = decoder.SerializeToString()
    smooth(decoder.graph, uneven.parent / "even" / "decoder.onnx")
    assert decoder.SerializeToString() == before
