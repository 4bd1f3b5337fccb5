"""Statistics of what was measured. Pure: reads no clock and measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Interval = tuple[float, float]
"""Begin and end."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How values are spread, in their own unit."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    """Percentiles lie on the line between the two values beside them; with less than 100 values p99 is
    little else than the highest."""
    highest: float


@dataclass(frozen=True, slots=True)
class Slope:
    """A line through points, by least squares."""

    per_unit: float
    """Of y, for one unit of x."""
    standard_error: float
    """Under the assumption that deviations from the line are independent of one another."""

    @property
    def is_distinguishable(self) -> bool:
        """Whether the slope is more than two standard errors away from 0."""
        return abs(self.per_unit) > 2 * self.standard_error


def distribution(values: Sequence[float]) -> Distribution | None:
    """None where there are no values."""
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    p50, p95, p99 = (float(one) for one in np.percentile(array, (50, 95, 99)))
    return Distribution(len(values), float(array.mean()), p50, p95, p99, float(array.max()))


def slope(x: Sequence[float], y: Sequence[float]) -> Slope | None:
    """None with less than three points, or where all have the same x: there is no error to be told then."""
    count = len(x)
    across = np.asarray(x, dtype=np.float64)
    up = np.asarray(y, dtype=np.float64)
    if count < 3 or np.ptp(across) == 0:
        return None
    across -= across.mean()
    up -= up.mean()
    spread = float(across @ across)
    per_unit = float(across @ up) / spread
    residuals = up - per_unit * across
    return Slope(per_unit, math.sqrt(float(residuals @ residuals) / (count - 2) / spread))


def settled(times: Sequence[float], share: float = 0.1) -> int:
    """Index of the first time that lies behind the first ``share`` of all the time measured."""
    if not times:
        return 0
    begin = times[0] + share * (times[-1] - times[0])
    return next(index for index, time in enumerate(times) if time >= begin)


def time_outside(begin: float, end: float, intervals: Iterable[Interval]) -> float:
    """How much of the time from ``begin`` to ``end`` lies in none of the intervals, which may overlap."""
    outside = 0.0
    reached = begin
    for first, last in sorted(intervals):
        if first >= end:
            break
        outside += max(0.0, first - reached)
        reached = max(reached, last)
    return outside + max(0.0, end - reached)
