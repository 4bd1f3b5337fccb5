"""Writes an ONNX graph node by node, with its weights streamed to a file beside it.

Streaming keeps the memory of a conversion at one tensor, whatever the size of the model, and weights
outside the protobuf are what lets ONNX Runtime map them from disk instead of copying them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
"""First standard opset with Gelu, which ONNX Runtime fuses with the bias before it."""
IR_VERSION = 10
MICROSOFT_DOMAIN = "com.microsoft"
"""Domain of ONNX Runtime's own operators, here the fused attention ones."""

_INLINE_BYTES = 1024
"""Constants up to this size stay inside the protobuf, where shape inference can read them."""
_ALIGNMENT = 4096
"""External tensors start on a page, so that they can be mapped."""


def append_external(
    file: BinaryIO, location: str, tensor: onnx.TensorProto, content: memoryview
) -> None:
    """Write a tensor's content to the end of a data file, and into the tensor where it is.

    Args:
        location: name of the data file, which lies beside the model file.
    """
    offset = -(-file.tell() // _ALIGNMENT) * _ALIGNMENT
    file.seek(offset)
    file.write(content)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (
        ("location", location),
        ("offset", str(offset)),
        ("length", str(content.nbytes)),
    ):
        tensor.external_data.add(key=key, value=value)


class GraphWriter:
    """Collects nodes and constants; :meth:`save` writes the model file.

    Use as a context manager: it holds the data file open.
    """

    def __init__(self, path: Path) -> None:
        """Args: path: the ``.onnx`` file to be; weights go to the same name with ``.data`` added."""
        self._path = path
        self._data_path = path.with_name(path.name + ".data")
        self._data: BinaryIO = self._data_path.open("wb")
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._data.close()

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        """Declare a graph input; a string dimension is symbolic."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        """Declare a graph output."""
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add a constant once; a second call with the same name reuses the first."""
        if name not in self._constants:
            array = np.ascontiguousarray(array)
            if array.nbytes <= _INLINE_BYTES:
                tensor = numpy_helper.from_array(array, name)
            else:
                tensor = self._external(name, array)
            self._constants[name] = tensor
        return name

    def _external(self, name: str, array: NDArray[Any]) -> onnx.TensorProto:
        tensor = TensorProto(
            name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape
        )
        append_external(self._data, self._data_path.name, tensor, array.data)
        return tensor

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node with one output and return that output's name."""
        return self.nodes(
            operator, inputs, [output or self._fresh(operator)], domain, **attributes
        )[0]

    def nodes(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attributes: Any,
    ) -> list[str]:
        """Add a node with several named outputs."""
        node = helper.make_node(
            operator, inputs, outputs, name=self._fresh(operator), domain=domain, **attributes
        )
        self._nodes.append(node)
        return list(outputs)

    def _fresh(self, operator: str) -> str:
        self._counts[operator] = self._counts.get(operator, 0) + 1
        return f"{operator}_{self._counts[operator]}"

    def save(self, graph_name: str) -> None:
        """Write the graph; the weights are on disk already.

        Raises:
            OSError: the disk is full.
        """
        self._data.flush()
        graph = helper.make_graph(
            self._nodes, graph_name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid("", OPSET),
                helper.make_opsetid(MICROSOFT_DOMAIN, 1),
            ],
            ir_version=IR_VERSION,
            producer_name="rtap",
        )
        self._path.write_bytes(model.SerializeToString())
