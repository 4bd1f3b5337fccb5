"""16-bit PCM, the form of audio that the libraries for noise and wake words take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import Samples

_FULL_SCALE = 32_768.0


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Same shape, full scale 32768. Samples beyond 1 are clipped; those that are not numbers are silence."""
    scaled = np.nan_to_num(np.rint(samples * np.float32(_FULL_SCALE)), nan=0.0)
    pcm: NDArray[np.int16] = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    return pcm


def from_pcm16(pcm: NDArray[np.int16]) -> Samples:
    """Same shape, -1 to 1. What :func:`to_pcm16` made of it is the same again."""
    return pcm.astype(np.float32) / np.float32(_FULL_SCALE)
