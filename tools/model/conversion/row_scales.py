"""Rounds what comes out of the activation functions with a scale per position, not one for all.

Whisper has a few positions that are 20 times as large there as others: in the encoder at the seams of speech
and silence (75 to 180 against 3 in whisper-base), in the decoder among the few tokens of a prompt. With one
scale for all positions the others get the few lowest of 255 steps. That was three quarters of the error of an
int8 encoder, and six sevenths of a decoder's, which reads what was kept of its prompt at every step. So the
second product of every layer and the second convolution get a scale per position. The other products come
after a normalisation or an average, which leave all positions alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tools.model.conversion.graph_writer import MICROSOFT_DOMAIN

GELU_LEAST = 0.17
"""GELU gives nothing below minus this."""
ZERO_POINT = 24
"""Which of the unsigned values is zero. Few are below, as what is positive is larger as a rule."""
_STEPS = 255 - ZERO_POINT
_SMALLEST_PEAK = GELU_LEAST * _STEPS / ZERO_POINT
"""Of a position: with a smaller one, its scale would cut off what is below zero."""

_CONSTANTS = {
    "rows.last_axis": np.array([-1]),
    "rows.smallest_peak": np.array(_SMALLEST_PEAK, np.float32),
    "rows.step": np.array(1 / _STEPS, np.float32),
    "rows.one": np.array(1, np.float32),
    "rows.zero": np.array(ZERO_POINT, np.uint8),
}


def scale_rows(graph: onnx.GraphProto) -> None:
    """Make a graph's products after GELU integer ones."""
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
        rewritten.extend(_product(node))
    del graph.node[:]
    graph.node.extend(rewritten)


def _follows_gelu(weight: str) -> bool:
    return weight.endswith(".fc2.weight") or weight == "encoder.conv2.weight"


def _product(product: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Nodes from [audio or beams, positions, width] to what the product was."""
    source, weight = product.input
    name = weight.removesuffix(".weight")

    def node(operator: str, inputs: list[str], result: str, **more: Any) -> onnx.NodeProto:
        label = f"{name}.{result}"
        return helper.make_node(operator, inputs, [label], name=f"{label}.{operator}", **more)

    yield node("ReduceMax", [source, "rows.last_axis"], "peak", keepdims=1)
    yield node("Max", [f"{name}.peak", "rows.smallest_peak"], "limit")
    yield node("Mul", [f"{name}.limit", "rows.step"], "steps")
    yield node("Div", [source, f"{name}.steps"], "in_steps")
    yield node("QuantizeLinear", [f"{name}.in_steps", "rows.one", "rows.zero"], "rows")
    integers = [f"{name}.rows", f"{weight}.int8", "rows.one", f"{weight}.scale", "rows.zero"]
    yield node("MatMulIntegerToFloat", integers, "product_in_steps", domain=MICROSOFT_DOMAIN)
    yield helper.make_node(
        "Mul",
        [f"{name}.product_in_steps", f"{name}.steps"],
        [product.output[0]],
        name=f"{name}.product.Mul",
    )


def _int8_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric per output channel: int8 values [in, out] and scales [out]."""
    scales = np.maximum(np.abs(weight).max(axis=0), 1e-12) / np.float32(127)
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)
