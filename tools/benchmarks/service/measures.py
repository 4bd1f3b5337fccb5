"""All that is measured of the service, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Final

from rtap.errors import RTAPException
from tools.benchmarks.result import Result
from tools.benchmarks.service import (
    action_time,
    answer_time,
    beside_a_file,
    fuzz,
    pipeline_overhead,
    ring_buffer,
    screen,
    siege,
    soak,
    standby,
    start_time,
)
from tools.benchmarks.service.plan import Plan

Measure = Callable[[Plan], Result]

_MODULES: Final[Sequence[ModuleType]] = (
    pipeline_overhead,
    ring_buffer,
    answer_time,
    action_time,
    beside_a_file,
    soak,
    start_time,
    fuzz,
    siege,
    screen,
    standby,
)
MEASURES: Final[Mapping[str, Measure]] = {module.NAME: module.measure for module in _MODULES}
"""By the name that ``--only`` takes."""
_WHAT: Final[Mapping[str, str]] = {module.NAME: module.WHAT for module in _MODULES}


def measure_all(
    names: Sequence[str],
    plan: Plan,
    on_begin: Callable[[str], None],
    measures: Mapping[str, Measure] = MEASURES,
) -> list[Result]:
    """Measure these, in the order of the report. What fails does not keep the rest from being measured.

    Args:
        names: of :data:`MEASURES`; empty: all.
        on_begin: gets each name when its turn comes.
    """
    results = []
    for name in measures:
        if names and name not in names:
            continue
        on_begin(name)
        try:
            results.append(measures[name](plan))
        except RTAPException as error:
            results.append(Result(name, _WHAT.get(name, ""), (), failure=str(error)))
    return results
