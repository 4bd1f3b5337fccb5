"""Intervals of which the width is known beforehand."""

from __future__ import annotations

import pytest

from tools.model.evaluation.bootstrap import Interval, interval, interval_of_difference


def test_nothing_to_draw_from() -> None:
    assert interval([]) is None
    assert interval([(3, 0)]) is None
    assert interval_of_difference([], []) is None


def test_equal_files_leave_no_doubt() -> None:
    assert interval([(1, 4)] * 10) == Interval(0.25, 0.25)


def test_as_wide_as_theory_says() -> None:
    """One word a file: a binomial share, whose standard error is sqrt(p (1 - p) / n)."""
    found = interval([(1, 1)] * 100 + [(0, 1)] * 300)
    assert found is not None
    error = (0.25 * 0.75 / 400) ** 0.5
    assert found.low == pytest.approx(0.25 - 1.96 * error, abs=0.005)
    assert found.high == pytest.approx(0.25 + 1.96 * error, abs=0.005)


def test_one_bad_file_makes_it_wide() -> None:
    spread, bunched = [(1, 10)] * 20, [(20, 10), *[(0, 10)] * 19]
    even, uneven = interval(spread), interval(bunched)
    assert even is not None
    assert uneven is not None
    assert uneven.high - uneven.low > even.high - even.low + 0.1


def test_the_same_again() -> None:
    pairs = [(number % 3, 4) for number in range(30)]
    assert interval(pairs) == interval(pairs)


def test_a_difference_is_drawn_in_pairs() -> None:
    """However much the files differ, one model is worse by the same in every one."""
    pairs = [(number % 7, 10) for number in range(50)]
    worse = [(errors + 1, words) for errors, words in pairs]
    found = interval_of_difference(worse, pairs)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([0.1, 0.1])


def test_draws_without_a_word_are_left_out() -> None:
    assert interval([(1, 1), *[(0, 0)] * 30]) == Interval(1.0, 1.0)
