"""Rounds what comes out of the encoder's activation functions with a scale per position, not one for all.

Whisper has a few positions, at the seams of speech and silence, that are 20 times as large there as others
(75 to 180 against 3 in whisper-base). With one scale for all positions speech gets the few lowest of 255
steps, which was three quarters of the error of an int8 encoder. So the second product of every layer and
the second convolution get a scale per position. The other products come after a normalisation or an average,
which leave all positions alike. In the decoder positions come one at a time, and have their scale already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tools.export.graph_writer import MICROSOFT_DOMAIN

GELU_LEAST = 0.17
"""GELU gives nothing below minus this."""
ZERO_POINT = 24
"""Which of the unsigned values is zero. Few are below, as what is positive is larger as a rule."""
_STEPS = 255 - ZERO_POINT
_SMALLEST_PEAK = GELU_LEAST * _STEPS / ZERO_POINT
"""Of a position: with a smaller one, its scale would cut off what is below zero."""

_ZEROS = "rows.zeros"
_CONSTANTS = {
    "rows.last_axis": np.array([-1]),
    "rows.flat": np.array([-1]),
    "rows.smallest_peak": np.array(_SMALLEST_PEAK, np.float32),
    "rows.step": np.array(1 / _STEPS, np.float32),
    "rows.one": np.array(1, np.float32),
    "rows.zero": np.array(ZERO_POINT, np.uint8),
}


def scale_rows(graph: onnx.GraphProto) -> None:
    """Make an encoder's products after GELU integer ones; any other graph stays as it is."""
    products = [
        node for node in graph.node if node.op_type == "MatMul" and _follows_gelu(node.input[1])
    ]
    if not products:
        return
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for name, array in _CONSTANTS.items():
        graph.initializer.append(numpy_helper.from_array(array, name))
    rewritten: list[onnx.NodeProto] = []
    for node in graph.node:
        if node not in products:
            rewritten.append(node)
            continue
        weight = node.input[1]
        columns, scales = _int8_columns(numpy_helper.to_array(constants[weight]))
        graph.initializer.remove(constants[weight])
        graph.initializer.append(numpy_helper.from_array(columns, f"{weight}.int8"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{weight}.scale"))
        rewritten.extend(_product(node, is_first=node == products[0]))
    del graph.node[:]
    graph.node.extend(rewritten)


def _follows_gelu(weight: str) -> bool:
    is_second_product = weight.startswith("encoder.layers.") and weight.endswith(".fc2.weight")
    return is_second_product or weight == "encoder.conv2.weight"


def _product(product: onnx.NodeProto, *, is_first: bool) -> Iterator[onnx.NodeProto]:
    """Nodes from [1, positions, width] to what the product was; audio is one at a time."""
    source, weight = product.input
    name = weight.removesuffix(".weight")

    def node(operator: str, inputs: list[str], result: str, **more: Any) -> onnx.NodeProto:
        label = f"{name}.{result}"
        return helper.make_node(operator, inputs, [label], name=f"{label}.{operator}", **more)

    yield node("ReduceMax", [source, "rows.last_axis"], "peak", keepdims=1)
    yield node("Max", [f"{name}.peak", "rows.smallest_peak"], "limit")
    yield node("Mul", [f"{name}.limit", "rows.step"], "steps")
    yield node("Reshape", [f"{name}.steps", "rows.flat"], "row_steps")
    if is_first:
        # The quantisation wants a zero point for every row, and all products have the same rows.
        yield helper.make_node("Shape", [f"{name}.row_steps"], ["rows.count"], name="rows.count")
        value = numpy_helper.from_array(np.array([ZERO_POINT], np.uint8))
        yield helper.make_node(
            "ConstantOfShape", ["rows.count"], [_ZEROS], name=_ZEROS, value=value
        )
    yield node("QuantizeLinear", [source, f"{name}.row_steps", _ZEROS], "rows", axis=1)
    integers = [f"{name}.rows", f"{weight}.int8", "rows.one", f"{weight}.scale", "rows.zero"]
    yield node("MatMulIntegerToFloat", integers, "in_steps", domain=MICROSOFT_DOMAIN)
    yield helper.make_node(
        "Mul",
        [f"{name}.in_steps", f"{name}.steps"],
        [product.output[0]],
        name=f"{name}.widened.Mul",
    )


def _int8_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric per output channel: int8 values [in, out] and scales [out]."""
    scales = np.maximum(np.abs(weight).max(axis=0), 1e-12) / np.float32(127)
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)
