"""16-bit PCM: nothing wraps around, nothing is lost on the way back."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.audio.pcm16 import from_pcm16, to_pcm16


@pytest.mark.parametrize(
    ("sample", "pcm"),
    [
        (0.0, 0),
        (0.5, 16_384),
        (1.0, 32_767),
        (-1.0, -32_768),
        (7.0, 32_767),
        (-7.0, -32_768),
        (np.inf, 32_767),
        (-np.inf, -32_768),
        (np.nan, 0),
        (1.6 / 32_768, 2),
    ],
)
def test_samples(sample: float, pcm: int) -> None:
    assert to_pcm16(np.array([sample], dtype=np.float32)).tolist() == [pcm]


def test_pcm_comes_back_the_same() -> None:
    every = np.arange(-32_768, 32_768, dtype=np.int32).astype(np.int16)
    samples = from_pcm16(every)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(to_pcm16(samples), every)
