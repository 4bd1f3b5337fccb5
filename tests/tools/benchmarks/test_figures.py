from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.benchmarks.figures import distribution, settled, slope, time_outside

TIMES = st.integers(0, 20)


def test_percentiles_lie_between_the_values_beside_them() -> None:
    spread = distribution([float(value) for value in range(101)])
    assert spread is not None
    assert (spread.count, spread.mean, spread.highest) == (101, 50.0, 100.0)
    assert (spread.p50, spread.p95, spread.p99) == (50.0, 95.0, 99.0)
    two = distribution([1.0, 3.0])
    assert two is not None
    assert (two.p50, two.highest) == (2.0, 3.0)


def test_nothing_measured_has_no_distribution() -> None:
    assert distribution([]) is None


def test_a_line_without_noise_is_found_without_error() -> None:
    found = slope([1.0, 2.0, 3.0, 7.0], [5.0, 7.0, 9.0, 17.0])
    assert found is not None
    assert found.per_unit == pytest.approx(2.0)
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)
    assert found.is_distinguishable


def test_slope_and_error_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, 50))
    y = 3 * x + rng.normal(0, 2, 50)
    coefficients, covariance = np.polyfit(x, y, 1, cov=True)
    found = slope(list(x), list(y))
    assert found is not None
    assert found.per_unit == pytest.approx(coefficients[0])
    assert found.standard_error == pytest.approx(np.sqrt(covariance[0, 0]))


def test_noise_alone_is_seldom_taken_for_a_slope() -> None:
    rng = np.random.default_rng(1)
    x = [float(value) for value in range(40)]
    found = [slope(x, list(rng.normal(100, 5, 40))) for _ in range(500)]
    mistaken = sum(one is not None and one.is_distinguishable for one in found)
    assert 5 <= mistaken <= 50  # one in twenty


@pytest.mark.parametrize("x", [[], [1.0, 2.0], [4.0, 4.0, 4.0]])
def test_no_slope_without_points_enough(x: list[float]) -> None:
    assert slope(x, x) is None


def test_the_first_share_of_the_time_is_left_out_however_many_points_it_has() -> None:
    assert settled([10.0, 10.1, 10.2, 11.0, 15.0, 20.0]) == 3
    assert settled([0.0, 100.0]) == 1
    assert settled([7.0]) == 0
    assert settled([]) == 0


@given(TIMES, TIMES, st.lists(st.tuples(TIMES, TIMES).map(lambda pair: (min(pair), max(pair)))))
def test_time_outside_is_what_no_interval_covers(
    begin: int, length: int, intervals: list[tuple[int, int]]
) -> None:
    seconds = range(begin, begin + length)
    free = sum(not any(first <= one < last for first, last in intervals) for one in seconds)
    assert time_outside(begin, begin + length, intervals) == free
