"""What a benchmark found: figures, each with its target and whether that was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.benchmarks.figures import Distribution


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    name: str
    value: float | None
    """None: it could not be measured."""
    unit: str
    target: str = ""
    """For people, such as ``< 2.34 ms``; empty where none was set."""
    reached: bool | None = None
    """None where there is no target."""
    spread: Distribution | None = None
    """What the value is taken from, in the same unit."""
    error: float | None = None
    """Standard error of the value, in the same unit."""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that belong side by side."""

    title: str
    header: Sequence[str]
    """Of the columns, the first one that of the names."""
    rows: Sequence[tuple[str, Sequence[float | None]]]
    """A name, and a value or None for each other column."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement gave."""

    name: str
    """As ``--only`` takes it."""
    what: str
    """What exactly was measured, and how."""
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default=())
    """What a reader must know to judge the figures of this run."""
    failure: str | None = None
    """Why there are no figures."""
    tables: Sequence[Table] = field(default=())


def percentiles(
    name: str, spread: Distribution | None, unit: str, limit: float | None = None
) -> list[Figure]:
    """The median, 95th and 99th percentile of something.

    Args:
        limit: the 95th shall be less; None: no target.
    """
    if spread is None:
        return [Figure(f"{name}, p95", None, unit, *_missed(unit, limit))]
    target = "" if limit is None else f"< {limit:g} {unit}"
    reached = None if limit is None else spread.p95 < limit
    return [
        Figure(f"{name}, p50", spread.p50, unit, spread=spread),
        Figure(f"{name}, p95", spread.p95, unit, target, reached, spread),
        Figure(f"{name}, p99", spread.p99, unit, spread=spread),
    ]


def _missed(unit: str, limit: float | None) -> tuple[str, bool | None]:
    return ("", None) if limit is None else (f"< {limit:g} {unit}", False)
