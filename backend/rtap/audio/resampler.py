"""Streams of audio at any sampling rate, at ours or at a loudspeaker's."""

from __future__ import annotations

import numpy as np
import soxr

from rtap.audio.format import SAMPLE_RATE, Samples


class Resampler:
    """A stream at one rate to another.

    Args:
        rate: of the samples that come, in Hz.
        to: of those that it gives.
    """

    def __init__(self, rate: int, to: int = SAMPLE_RATE) -> None:
        self._stream = (
            None if rate == to else soxr.ResampleStream(rate, to, 1, dtype="float32", quality="HQ")
        )

    def push(self, samples: Samples) -> Samples:
        """The next samples; the filter keeps some milliseconds back."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return np.clip(resampled, -1.0, 1.0)

    def flush(self) -> Samples:
        """What it kept; the stream is over."""
        if self._stream is None:
            return np.empty(0, np.float32)
        rest: Samples = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        return np.clip(rest, -1.0, 1.0)
