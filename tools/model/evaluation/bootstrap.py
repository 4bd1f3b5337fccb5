"""How far a rate can be trusted: what it would be with other recordings of the same kind.

Utterances are drawn from those that there are, as many and with repetition (Efron's bootstrap), so what
belongs together in one utterance, such as a loop of fifty wrong words, stays together. Seeded: the same
utterances give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 2_000
CONFIDENCE: Final = 95
"""Percent of the draws that lie within."""
_SEED: Final = 0

Pairs = Sequence[tuple[int, int]]
"""(errors, words) of every utterance."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a rate lies with a confidence of 95 %."""

    low: float
    high: float


def interval(pairs: Pairs) -> Interval | None:
    """Of errors per word over all utterances; None where there is not one word."""
    if not sum(words for _, words in pairs):
        return None
    return _middle(_rates(pairs))


def interval_of_difference(pairs: Pairs, others: Pairs) -> Interval | None:
    """Of the first rate less the second, both drawn for the same utterances.

    Args:
        pairs, others: of the same utterances in the same order.
    """
    if not sum(words for _, words in pairs):
        return None
    return _middle(_rates(pairs) - _rates(others))


def _rates(pairs: Pairs) -> NDArray[np.float64]:
    """[draws] errors per word; draws without a word, in data of one word in a hundred files, are left out."""
    values = np.array(pairs, dtype=np.float64)
    size = len(values)
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(size, np.full(size, 1 / size), size=DRAWS).astype(np.float64)
    errors, words = (drawn @ values).T
    rates: NDArray[np.float64] = np.full(DRAWS, np.nan)
    np.divide(errors, words, out=rates, where=words > 0)
    return rates


def _middle(rates: NDArray[np.float64]) -> Interval:
    outside = (100 - CONFIDENCE) / 2
    low, high = np.nanpercentile(rates, [outside, 100 - outside])
    return Interval(float(low), float(high))
