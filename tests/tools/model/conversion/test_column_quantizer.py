"""Columns rounded all at once: the same numbers as ONNX Runtime's own, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnxruntime.quantization.quant_utils import quantize_data

from tools.model.conversion.column_quantizer import round_columns


@pytest.mark.parametrize("size", [1e-41, 1e-30, 1.0, 1e30])
def test_as_onnx_runtime_does_it(size: float) -> None:
    weights = np.random.default_rng(0).standard_normal((33, 50)).astype(np.float32)
    weights[:, 7] = 0
    weights[:, 8] = np.abs(weights[:, 8])
    weights[:, 9] = -np.abs(weights[:, 9])
    weights[:, 10] = np.linspace(-127, 127, 33) / 2  # halves, which go to the even number
    weights = (weights * np.float32(size)).astype(np.float32)
    rounded, scales = round_columns(weights)
    assert (rounded.dtype.name, scales.dtype.name) == ("int8", "float32")
    for column, values, scale in zip(weights.T, rounded.T, scales, strict=True):
        zero_point, expected_scale, expected = quantize_data(
            column, TensorProto.INT8, symmetric=True
        )
        assert zero_point == 0
        assert scale == expected_scale
        np.testing.assert_array_equal(values, expected)
