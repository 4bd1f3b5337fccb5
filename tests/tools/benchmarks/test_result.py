from __future__ import annotations

import pytest

from tools.benchmarks.figures import distribution
from tools.benchmarks.result import percentiles


@pytest.mark.parametrize(("limit", "reached"), [(2.5, False), (95.0, False), (95.1, True)])
def test_the_95th_percentile_is_what_must_be_below_the_limit(
    *, limit: float, reached: bool
) -> None:
    spread = distribution([float(value) for value in range(101)])
    figures = percentiles("write", spread, "ms", limit)
    assert [figure.name for figure in figures] == ["write, p50", "write, p95", "write, p99"]
    assert [figure.value for figure in figures] == [50.0, 95.0, 99.0]
    assert [figure.reached for figure in figures] == [None, reached, None]
    assert figures[1].target == f"< {limit:g} ms"


def test_without_a_limit_nothing_is_reached_or_missed() -> None:
    figures = percentiles("write", distribution([1.0]), "ms")
    assert [(figure.target, figure.reached) for figure in figures] == [("", None)] * 3


def test_what_could_not_be_measured_has_missed_its_target() -> None:
    [figure] = percentiles("write", None, "ms", 2.0)
    assert (figure.value, figure.target, figure.reached) == (None, "< 2 ms", False)
