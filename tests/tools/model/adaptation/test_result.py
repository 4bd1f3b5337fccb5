"""What counts as agreement, and when a model may go without padding."""

from __future__ import annotations

import numpy as np
import pytest

from tools.model.adaptation.agreement import SURE, Agreement, compare
from tools.model.adaptation.clips import Clip
from tools.model.adaptation.result import Result
from tools.model.adaptation.training import Losses
from tools.model.evaluation.normalization import normalizer_for


def clips(*texts: str | None) -> list[Clip]:
    return [Clip(np.zeros(16_000, np.int16), text) for text in texts]


def agreement(error_rate: float | None, text_error_rate: float | None) -> Agreement:
    return Agreement(10, 8, error_rate, text_error_rate)


def result(short: Agreement, full: Agreement) -> Result:
    return Result(Losses(0.5, 0.1, 20), full, agreement(0.9, 0.9), short, agreement(0.0, 0.1))


def test_compare() -> None:
    found = compare(
        ["Turn left.", "stop here", ""],
        ["turn left", "stop it now", "yes"],
        clips("turn right", None, ""),
        normalizer_for("en"),
        [-0.1, -0.2, SURE],
    )
    assert (found.clips, found.same) == (3, 1)
    # Of six words one was another and two were missing.
    assert found.error_rate == pytest.approx(3 / 6)
    assert found.text_error_rate == pytest.approx(1 / 2)


def test_what_the_original_guesses_does_not_count() -> None:
    said = ["turn left", "view glass"]
    found = compare(
        ["turn left", "few class"],
        said,
        clips(None, None),
        normalizer_for("en"),
        [-0.1, SURE - 0.1],
    )
    assert (found.same, found.error_rate) == (1, 0.0)


def test_an_original_that_mostly_guesses_is_no_excuse() -> None:
    said = ["turn left", "view glass", "go on"]
    found = compare(
        ["turn left", "few class", "go off"],
        said,
        clips(None, None, None),
        normalizer_for("en"),
        [-0.1, SURE - 0.1, SURE - 0.1],
    )
    assert found.error_rate == pytest.approx(3 / 6)


def test_without_texts() -> None:
    found = compare(["", ""], ["", ""], clips(None, None), normalizer_for("en"), [0.0, 0.0])
    assert found == Agreement(clips=2, same=2, error_rate=None, text_error_rate=None)


@pytest.mark.parametrize(
    ("short", "full", "elastic"),
    [
        # Against the texts, where there are some: the original in 30 s has errors too.
        ((0.30, 0.12), (0.0, 0.10), "native"),
        ((0.30, 0.08), (0.0, 0.10), "native"),
        ((0.01, 0.13), (0.0, 0.10), "guarded"),
        ((0.02, None), (0.0, None), "native"),
        ((0.03, None), (0.0, None), "guarded"),
        ((None, None), (None, None), "guarded"),
    ],
)
def test_native_or_not(
    short: tuple[float | None, float | None],
    full: tuple[float | None, float | None],
    elastic: str,
) -> None:
    assert result(agreement(*short), agreement(*full)).elastic == elastic


def test_table() -> None:
    table = str(result(agreement(0.125, None), agreement(0.0, None)))
    assert [line.split()[0] for line in table.splitlines()] == [
        "context",
        "original,",
        "original,",
        "adapted,",
        "adapted,",
    ]
    assert "8/10" in table
    assert "12.5%" in table
    assert len({len(line) for line in table.splitlines()}) == 1
