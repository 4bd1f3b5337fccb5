"""GraphWriter: graphs that ONNX accepts, with weights beside them where they can be mapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from tools.model.conversion.graph_writer import _ALIGNMENT, GraphWriter


def write_product(path: Path, weight: np.ndarray) -> None:
    with GraphWriter(path) as graph:
        graph.input("x", TensorProto.FLOAT, ["rows", weight.shape[0]])
        matrix = graph.constant("weight", weight)
        # Named twice, stored once.
        assert graph.constant("weight", weight) == matrix
        two = graph.constant("two", np.array(2, np.float32))
        doubled = graph.node("Mul", ["x", two])
        graph.node("MatMul", [doubled, matrix], graph.output("y", TensorProto.FLOAT, ["rows", "n"]))
        graph.save("product")


@pytest.mark.parametrize("shape", [(2, 3), (40, 50), (1000, 7)])
def test_computes_what_was_written(shape: tuple[int, int], tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    path = tmp_path / "product.onnx"
    write_product(path, weight)
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.ones((4, shape[0]), np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], 2 * x @ weight, rtol=1e-5, atol=1e-5)


def test_large_constants_lie_outside_on_pages(tmp_path: Path) -> None:
    path = tmp_path / "graph.onnx"
    arrays = {f"weight{index}": np.full(300 + index, index, np.float32) for index in range(4)}
    with GraphWriter(path) as graph:
        for name, array in arrays.items():
            graph.constant(name, array)
        graph.constant("small", np.arange(3))
        graph.save("constants")
    stored = {
        tensor.name: tensor
        for tensor in onnx.load(path, load_external_data=False).graph.initializer
    }
    assert not stored.pop("small").external_data
    places = [
        {entry.key: entry.value for entry in tensor.external_data} for tensor in stored.values()
    ]
    assert {place["location"] for place in places} == {"graph.onnx.data"}
    assert [int(place["offset"]) for place in places] == [_ALIGNMENT * i for i in range(4)]
    for tensor in onnx.load(path).graph.initializer:
        if tensor.name in arrays:
            np.testing.assert_array_equal(numpy_helper.to_array(tensor), arrays[tensor.name])


def test_a_transposed_array_is_stored_as_it_reads(tmp_path: Path) -> None:
    # Its memory lies in the other order.
    weight = np.arange(2000, dtype=np.float32).reshape(40, 50).T
    write_product(tmp_path / "product.onnx", weight)
    loaded = onnx.load(tmp_path / "product.onnx").graph.initializer
    found = next(tensor for tensor in loaded if tensor.name == "weight")
    np.testing.assert_array_equal(numpy_helper.to_array(found), weight)


def test_nodes_have_names_of_their_own(tmp_path: Path) -> None:
    with GraphWriter(tmp_path / "graph.onnx") as graph:
        graph.input("x", TensorProto.FLOAT, [4])
        one = graph.node("Relu", ["x"])
        two = graph.node("Relu", [one])
        graph.node("Relu", [two], graph.output("y", TensorProto.FLOAT, [4]))
        graph.save("chain")
    nodes = onnx.load(tmp_path / "graph.onnx").graph.node
    assert len({node.name for node in nodes}) == 3
    assert len({one, two, "x", "y"}) == 4


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    weight = np.ones((40, 50), np.float32)
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        write_product(tmp_path / place / "product.onnx", weight)
    for name in ("product.onnx", "product.onnx.data"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
