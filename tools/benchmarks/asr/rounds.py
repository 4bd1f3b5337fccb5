"""Rounds in which every engine has its turn, so that whatever else the machine does hits all of them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tools.benchmarks.asr.process import Reading, Worker

TOKENS_PER_SECOND: Final = 4.3
"""Of English speech: 13 for a command of 3 s."""
MORE_TOKENS: Final = 40
"""By how many the second run of a pair goes on, to tell the cost of one."""


class Case(NamedTuple):
    """What is transcribed."""

    seconds: float
    tokens: int

    @classmethod
    def of(cls, seconds: float) -> Case:
        """Speech of usual density."""
        return cls(seconds, max(1, round(TOKENS_PER_SECOND * seconds)))

    @property
    def longer(self) -> Case:
        """The same audio with more said in it."""
        return self._replace(tokens=self.tokens + MORE_TOKENS)


@dataclass(frozen=True, slots=True)
class Start:
    """What it takes until there is a first transcript, and in memory."""

    seconds: float
    """From the start of the process."""
    load_seconds: float
    peak_short: int
    """Bytes, after a short command."""
    peak_long: int
    """Bytes, after 30 s."""


@dataclass(slots=True)
class Readings:
    """All that was measured of one engine with so many threads."""

    version: str = ""
    runs: dict[Case, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    starts: list[Start] = field(default_factory=list)
    failure: str = ""
    """Why nothing was, or not all."""

    def cpu(self, case: Case) -> float | None:
        """Median of the processor time in seconds; None: not measured."""
        return _median([reading.cpu for reading in self.runs.get(case, [])])

    def wall(self, case: Case) -> float | None:
        """Median of the wall time in seconds; None: not measured."""
        return _median([reading.wall for reading in self.runs.get(case, [])])

    def spread(self, case: Case) -> float | None:
        """Median distance of the processor time from its median, as a share of that."""
        values = [reading.cpu for reading in self.runs.get(case, [])]
        middle = _median(values)
        if not middle:
            return None
        return statistics.median(abs(value - middle) for value in values) / middle

    def per_token(self, case: Case) -> float | None:
        """Processor seconds of one more token; None: not measured."""
        few, many = self.runs.get(case, []), self.runs.get(case.longer, [])
        steps = [more.tokens - less.tokens for less, more in zip(few, many, strict=False)]
        if not steps or min(steps) <= 0:
            return None
        pairs = zip(few, many, steps, strict=False)
        return statistics.median((more.cpu - less.cpu) / step for less, more, step in pairs)

    def start(self, value: Callable[[Start], float]) -> float | None:
        """Median of one of the figures of the start; None: not measured."""
        return _median([value(start) for start in self.starts])


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Another one first in every round."""
    by %= max(1, len(names))
    return [*names[by:], *names[:by]]


def run_rounds(
    workers: Mapping[str, Worker],
    readings: Mapping[str, Readings],
    cases: Mapping[Case, Path],
    rounds: int,
    on_round: Callable[[int], None],
) -> None:
    """Every engine transcribes every case in every round, after one that does not count.

    Args:
        cases: files with their samples.
    """
    for number in range(rounds + 1):
        on_round(number)
        for case, samples in cases.items():
            for name in rotated(list(workers), number):
                reading = workers[name].transcribe(samples, case.tokens)
                if number:
                    readings[name].runs[case].append(reading)
