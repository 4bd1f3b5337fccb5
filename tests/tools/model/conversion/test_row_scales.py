"""Products after GELU: every position has its own eight bits."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.model.conversion.graph_writer import IR_VERSION, MICROSOFT_DOMAIN, OPSET
from tools.model.conversion.row_scales import GELU_LEAST, scale_rows

WIDTH, OUT = 256, 64
WEIGHT = "encoder.layers.3.fc2.weight"
MOST_DIFFERENCE = 0.03
"""Of a position, over its root mean square. One scale for all gives ten times as much beside one of 180."""


def product(weight: str = WEIGHT) -> onnx.ModelProto:
    random = np.random.default_rng(0)
    values = random.standard_normal((WIDTH, OUT)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["hidden", weight], ["product"])],
        "product",
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["beams", "positions", WIDTH])],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, ["beams", "positions", OUT])],
        [numpy_helper.from_array(values, weight)],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT_DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def activations(*peaks: float) -> NDArray[np.float32]:
    """As GELU gives them: most near zero, none below its least, the largest of each position as told."""
    random = np.random.default_rng(1)
    rows = random.exponential(size=(len(peaks), WIDTH)) ** 2
    rows *= np.array(peaks)[:, np.newaxis] / rows.max(axis=1, keepdims=True)
    below = random.random(rows.shape) < 0.5
    rows[below] = -GELU_LEAST * random.random(int(below.sum()))
    return rows.astype(np.float32)[np.newaxis]


def run(model: onnx.ModelProto, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    result: NDArray[np.float32] = session.run(None, {"hidden": hidden})[0]
    return result


def differences(hidden: NDArray[np.float32], weight: str = WEIGHT) -> NDArray[np.float32]:
    """Relative errors [beams, positions]."""
    exact, rounded = product(weight), product(weight)
    scale_rows(rounded.graph)
    expected, found = run(exact, hidden), run(rounded, hidden)
    error = np.sqrt(np.mean((found - expected) ** 2, axis=2))
    relative: NDArray[np.float32] = error / np.sqrt(np.mean(expected**2, axis=2))
    return relative


@pytest.mark.parametrize("peaks", [(3.0, 180.0, 3.0), (0.5, 75.0), (3.0,), (0.01, 2.0, 900.0)])
def test_a_large_position_costs_the_others_nothing(peaks: tuple[float, ...]) -> None:
    found = differences(activations(*peaks))
    assert found.max() < MOST_DIFFERENCE
    # Something was rounded, or this compares a graph with itself.
    assert found.min() > 1e-4


def test_every_beam_has_scales_of_its_own() -> None:
    hidden = activations(3.0, 180.0, 3.0, 2.0).reshape(4, 1, WIDTH)
    assert differences(hidden, "decoder.layers.0.fc2.weight").max() < MOST_DIFFERENCE


@pytest.mark.parametrize("weight", ["decoder.layers.0.fc1.weight", "encoder.conv1.weight"])
def test_other_products_stay(weight: str) -> None:
    model = product(weight)
    before = model.SerializeToString()
    scale_rows(model.graph)
    assert model.SerializeToString() == before
