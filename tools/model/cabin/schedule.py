"""How long training takes, and how fast it learns on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_WARM_UP: Final = 600


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Args:
        steps: the learning rate rises for 600 steps and falls to nothing at this one.
        rate: the highest learning rate.
        seconds: audio in one step, of all processes together.
        save_every: steps between checkpoints, each with the word error rate on the development set.
    """

    steps: int
    rate: float = 1e-3
    seconds: float = 48.0
    save_every: int = 1000

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, as a part of the highest: linear rise, then half a cosine."""
        if step < _WARM_UP:
            return (step + 1) / _WARM_UP
        done = (step - _WARM_UP) / max(self.steps - _WARM_UP, 1)
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
