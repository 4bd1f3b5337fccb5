"""How loud it is, several times a second, for screens that show it."""

from __future__ import annotations

from typing import Final

import numpy as np

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.level import dbfs

LEVEL_SECONDS: Final = 0.1
"""Of sound between two levels: a ring that follows speech needs no more, and a screen draws each."""


class LevelMeter:
    """Measures a stream piece by piece; for one thread."""

    def __init__(self) -> None:
        self._pieces: list[Samples] = []
        self._size = 0

    def push(self, samples: Samples) -> float | None:
        """Take the next sound, shape (samples,).

        Returns:
            The level of the last LEVEL_SECONDS in dBFS; None until they are full.
        """
        self._pieces.append(samples)
        self._size += samples.size
        if self._size < LEVEL_SECONDS * SAMPLE_RATE:
            return None
        level = dbfs(np.concatenate(self._pieces))
        self.reset()
        return level

    def reset(self) -> None:
        """Forget what was not measured yet."""
        self._pieces.clear()
        self._size = 0
