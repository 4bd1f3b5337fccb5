"""Rewrites a graph's weights in fewer bits.

What is quantised, and why not the rest: nearly all weights are those of matrix products, among them the two
convolutions, and of the token table; biases, normalisation and positions are small. Integer graphs also keep
the audio's keys and values in 8 bits, see :mod:`cross_cache`. Activations have one scale for all positions
and channels, but for what :mod:`row_scales` says, and none of their channels stands out much, see
:mod:`smoothing`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.model.conversion import cross_cache
from tools.model.conversion.graph_writer import append_external
from tools.model.conversion.row_scales import scale_rows
from tools.model.conversion.smoothing import smooth

BLOCK_SIZE = 32
"""Weights that share a scale in weight-only quantisation."""
INT8_ACTIVATIONS = 4
"""``accuracy_level`` of MatMulNBits: multiply in 8-bit integers, fast without half-precision units."""

TOKEN_TABLE = "embed_tokens"  # noqa: S105 (a tensor's name)
VOCABULARY_PROJECTION = "proj_out.transposed"

_LARGE = 1024
"""Elements from which a constant is worth storing smaller, and bytes from which it leaves the protobuf."""


def store_fp16(source: Path, output: Path) -> None:
    """Halve the file: large constants in half precision, widened when the session starts."""
    model = onnx.load(source)
    graph = model.graph
    casts: list[onnx.NodeProto] = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _LARGE:
            continue
        name = tensor.name
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.fp16"))
        casts.append(
            helper.make_node(
                "Cast", [tensor.name], [name], name=f"widen_{name}", to=TensorProto.FLOAT
            )
        )
    _prepend(graph, casts)
    _save(model, output)


def quantize_int8(source: Path, output: Path) -> None:
    """8-bit weights with a scale per output channel, activations quantised as they come."""
    model = onnx.load(source)
    _separate_token_table(model.graph)
    smooth(model.graph, source)
    scale_rows(model.graph)
    model = _dynamic_int8(model)
    cross_cache.write_in_int8(model.graph)
    cross_cache.read_in_int8(model.graph)
    _save(model, output)


def quantize_weights(source: Path, output: Path, bits: int) -> None:
    """Weight-only: ``bits`` (4 or 8) per weight in blocks of 32; the vocabulary projection keeps 8 bits.

    The projection decides between tokens directly, and its error is not averaged out by a later layer.
    """
    model = onnx.load(source)
    _separate_token_table(model.graph)
    projection = [
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and "logits" in node.output
    ]
    model = _blockwise(model, bits, exclude=projection)
    if projection:
        model = _blockwise(model, 8, exclude=[])
    cross_cache.read_in_int8(model.graph)
    _save(model, output)


def operator_counts(path: Path) -> dict[str, int]:
    """Number of nodes by operator, for the record in the manifest."""
    model = onnx.load(path, load_external_data=False)
    return dict(sorted(Counter(node.op_type for node in model.graph.node).items()))


def _separate_token_table(graph: onnx.GraphProto) -> None:
    """Make the token table int8 by row, and give the projection to the vocabulary a matrix of its own.

    In fp32 both are one tensor. Quantised, the product wants it packed by column; the lookup, which reads
    a few rows per utterance, is left in the file and mapped.
    """
    gemm = next((node for node in graph.node if node.op_type == "Gemm"), None)
    if gemm is None:
        return
    constants = {tensor.name: tensor for tensor in graph.initializer}
    projection = numpy_helper.to_array(constants[gemm.input[1]])
    table = numpy_helper.to_array(constants[TOKEN_TABLE])
    for name in {TOKEN_TABLE, gemm.input[1]}:
        graph.initializer.remove(constants[name])

    transposed = np.ascontiguousarray(projection.T)
    graph.initializer.append(numpy_helper.from_array(transposed, VOCABULARY_PROJECTION))
    gemm.op_type = "MatMul"
    gemm.input[1] = VOCABULARY_PROJECTION
    del gemm.attribute[:]

    rows, scales = _int8_rows(table)
    graph.initializer.append(numpy_helper.from_array(rows, f"{TOKEN_TABLE}.int8"))
    graph.initializer.append(numpy_helper.from_array(scales, f"{TOKEN_TABLE}.scale"))
    lookup = next(node for node in graph.node if TOKEN_TABLE in node.input)
    tokens, embedded = lookup.input[1], lookup.output[0]
    replacement = [
        helper.make_node("Gather", [f"{TOKEN_TABLE}.int8", tokens], ["token_int8"]),
        helper.make_node("Cast", ["token_int8"], ["token_wide"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{TOKEN_TABLE}.scale", tokens], ["token_scale"]),
        helper.make_node("Mul", ["token_wide", "token_scale"], [embedded]),
    ]
    graph.node.remove(lookup)
    _prepend(graph, replacement)


def _int8_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric per row: int8 values [rows, width] and scales [rows, 1]."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / np.float32(127)
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def _dynamic_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.quant_utils import QuantizationMode, add_infer_metadata

    from tools.model.conversion.column_quantizer import ColumnQuantizer

    # It infers the shapes itself later; without the mark it would write the model to disk once more for them.
    add_infer_metadata(model)
    with _root_logger_quiet():
        quantizer = ColumnQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            mode=QuantizationMode.IntegerOps,
            static=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=None,
            nodes_to_quantize=[],
            nodes_to_exclude=[],
            op_types_to_quantize=["MatMul"],
            # Shape inference stops at the fused attention nodes, whose outputs are fp32 like all others.
            extra_options={"DefaultTensorType": TensorProto.FLOAT, "MatMulConstBOnly": True},
        )
        quantizer.quantize_model()
    quantized: onnx.ModelProto = quantizer.model.model
    return quantized


def _blockwise(model: onnx.ModelProto, bits: int, exclude: list[str]) -> onnx.ModelProto:
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with _root_logger_quiet():
        quantizer = MatMulNBitsQuantizer(
            model,
            bits=bits,
            block_size=BLOCK_SIZE,
            is_symmetric=True,
            accuracy_level=INT8_ACTIVATIONS,
            nodes_to_exclude=exclude,
        )
        quantizer.process()
    quantized: onnx.ModelProto = quantizer.model.model
    return quantized


@contextmanager
def _root_logger_quiet() -> Iterator[None]:
    """The library asks for a pre-processing step that our graphs do not need, once per graph."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _prepend(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """ONNX wants nodes in order of use."""
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])


def _save(model: onnx.ModelProto, output: Path) -> None:
    """Write the graph and its large constants; onnx's own way trips over files in the current directory."""
    data = output.with_name(output.name + ".data")
    with data.open("wb") as file:
        for tensor in model.graph.initializer:
            if not tensor.HasField("raw_data"):
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
            content = tensor.raw_data
            if len(content) >= _LARGE:
                tensor.ClearField("raw_data")
                append_external(file, data.name, tensor, memoryview(content))
    output.write_bytes(model.SerializeToString())
