"""How loud sound is."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rtap.audio.format import Samples

QUIETEST: Final = -90.0
"""dBFS that silence counts as."""


_METER_FLOOR: Final = -60.0
"""dBFS at which a meter shows nothing: below it is a quiet room."""


def dbfs(samples: Samples) -> float:
    """Root mean square in dB below full scale: QUIETEST to 0. A full sine is -3.

    An empty array counts as silence.
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return min(0.0, max(QUIETEST, 10 * math.log10(power))) if power > 0 else QUIETEST


def meter(level: float) -> float:
    """A level in dBFS as a meter shows it, 0 to 1, evenly in decibels."""
    return min(1.0, max(0.0, 1 - level / _METER_FLOOR))
