"""Keeps the keys and values of the audio in 8 bits.

Every token reads all of them: for 30 s of base that is 37 MB in fp32, as much as three quarters of the int8
weights, and here 9 MB. ONNX Runtime's one attention that reads 8 bits is GroupQueryAttention, which always
appends the keys and values of its own tokens, too. So there is room for them behind the audio's, they are
zero, and a mask hides them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rtap.whisper.cross_cache import KINDS, ROOM
from tools.model.conversion.graph_writer import MICROSOFT_DOMAIN

_LARGEST = 127.0
_SMALLEST = 1e-8
"""Of a scale: a channel may be silent."""


def write_in_int8(graph: onnx.GraphProto) -> None:
    """Have an encoder give int8 and, in further outputs, a scale per channel [1, heads, 1, head size]."""
    outputs = [output for output in graph.output if _layer(output.name) is not None]
    if not outputs:
        return
    makers = {node.output[0]: node for node in graph.node}
    for name, array in (
        ("cross.largest", np.float32(_LARGEST)),
        ("cross.smallest", np.float32(_SMALLEST)),
        ("cross.one", np.float32(1)),
        ("cross.zero", np.int8(0)),
        ("cross.frames", np.array([0])),
        ("cross.room", np.array([0, 0, 0, 0, 0, 0, ROOM, 0])),
    ):
        graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    for output in outputs:
        _, heads, _, size = (axis.dim_value for axis in _shape(output))
        transpose = makers[output.name]
        reshape = makers[transpose.input[0]]
        graph.node.extend(_quantized(output.name, reshape, transpose, (heads, size), graph))
        graph.output.append(_scale(output.name, heads, size))
        _make_int8(output)
        for node in (transpose, reshape):
            graph.node.remove(node)


def read_in_int8(graph: onnx.GraphProto) -> None:
    """Have a decoder take what :func:`write_in_int8` makes an encoder give.

    New inputs: the scales; ``cross_mask`` [1, 1, queries, positions + queries], added to the scores;
    ``cross_last`` int32 [1] and ``cross_total`` int32 scalar, as GroupQueryAttention counts; ``cross_new``
    [1, queries, width], zeros. The outputs ``cross_present_*`` are to be bound to the inputs' memory.
    """
    inputs = {value.name: value for value in graph.input if _layer(value.name) is not None}
    if not inputs:
        return
    *_, heads, _, size = (axis.dim_value for axis in _shape(next(iter(inputs.values()))))
    for node in graph.node:
        if node.op_type != "MultiHeadAttention":
            continue
        _, key, value = node.input
        presents = [f"cross_present_{name.removeprefix('cross_')}" for name in (key, value)]
        for name, present in zip((key, value), presents, strict=True):
            _make_int8(inputs[name])
            graph.input.append(_scale(name, heads, size))
            shape: list[int | str] = [1, heads, "positions_and_room", size]
            graph.output.append(helper.make_tensor_value_info(present, TensorProto.INT8, shape))
        _attend_in_int8(node, presents, heads)
    graph.input.extend(_shared_inputs(heads * size))


def _attend_in_int8(node: onnx.NodeProto, presents: list[str], heads: int) -> None:
    query, key, value = node.input
    fused = helper.make_node(
        "GroupQueryAttention",
        [
            *(query, "cross_new", "cross_new", key, value, "cross_last", "cross_total"),
            *("", "", "", "cross_mask", "", f"{key}.scale", f"{value}.scale"),
        ],
        [node.output[0], *presents],
        name=node.name,
        domain=MICROSOFT_DOMAIN,
        num_heads=heads,
        kv_num_heads=heads,
        kv_cache_bit_width=8,
        k_quant_type="PER_CHANNEL",
        v_quant_type="PER_CHANNEL",
    )
    node.CopyFrom(fused)


def _quantized(
    output: str,
    reshape: onnx.NodeProto,
    transpose: onnx.NodeProto,
    shape: tuple[int, int],
    graph: onnx.GraphProto,
) -> Iterator[onnx.NodeProto]:
    """Nodes from a projection [audio, positions, width] to an output and its scale.

    The largest value is looked for in two dimensions, and with the width last: for other shapes ONNX Runtime
    takes ten times as long. Audio is one at a time, as everywhere in the engine.
    """
    heads, size = shape
    flat, wide = np.array([-1, heads * size]), np.array([1, heads, 1, size])
    for name, array in ((f"{output}.flat", flat), (f"{output}.wide", wide)):
        graph.initializer.append(numpy_helper.from_array(array, name))
    source = reshape.input[0]

    def node(operator: str, inputs: list[str], result: str) -> onnx.NodeProto:
        return helper.make_node(operator, inputs, [result], name=f"{result}.{operator}")

    yield node("Abs", [source], f"{output}.size")
    yield node("Reshape", [f"{output}.size", f"{output}.flat"], f"{output}.rows")
    yield node("ReduceMax", [f"{output}.rows", "cross.frames"], f"{output}.peak")
    yield node("Max", [f"{output}.peak", "cross.smallest"], f"{output}.limit")
    yield node("Div", ["cross.largest", f"{output}.limit"], f"{output}.factor")
    yield node("Mul", [source, f"{output}.factor"], f"{output}.scaled")
    yield node("QuantizeLinear", [f"{output}.scaled", "cross.one", "cross.zero"], f"{output}.int8")
    yield node("Reshape", [f"{output}.int8", reshape.input[1]], f"{output}.split")
    turned = helper.make_node("Transpose", [f"{output}.split"], [f"{output}.turned"])
    turned.attribute.extend(transpose.attribute)
    yield turned
    yield node("Pad", [f"{output}.turned", "cross.room", "cross.zero"], output)
    yield node("Reciprocal", [f"{output}.factor"], f"{output}.step")
    yield node("Reshape", [f"{output}.step", f"{output}.wide"], f"{output}.scale")


def _shared_inputs(width: int) -> Iterator[onnx.ValueInfoProto]:
    value, flat = helper.make_tensor_value_info, TensorProto.FLOAT
    yield value("cross_mask", flat, [1, 1, "queries", "positions_and_queries"])
    yield value("cross_last", TensorProto.INT32, [1])
    yield value("cross_total", TensorProto.INT32, [])
    yield value("cross_new", flat, [1, "queries", width])


def _scale(name: str, heads: int, size: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(f"{name}.scale", TensorProto.FLOAT, [1, heads, 1, size])


def _shape(value: onnx.ValueInfoProto) -> Sequence[onnx.TensorShapeProto.Dimension]:
    shape: Sequence[onnx.TensorShapeProto.Dimension] = value.type.tensor_type.shape.dim
    return shape


def _make_int8(value: onnx.ValueInfoProto) -> None:
    value.type.tensor_type.elem_type = TensorProto.INT8
    _shape(value)[2].dim_param = "positions_and_room"


def _layer(name: str) -> int | None:
    """Of which decoder layer an output is; None: it is another."""
    kind, _, layer = name.partition(".")
    return int(layer) if kind in {f"cross_{one}" for one in KINDS} and layer.isdigit() else None
