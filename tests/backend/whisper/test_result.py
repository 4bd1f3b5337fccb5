"""rtap.whisper.result: what is worked out from a transcription."""

from __future__ import annotations

import math

import pytest

from rtap.whisper.result import Transcription


@pytest.mark.parametrize(
    ("duration", "inference_time", "factor"), [(10.0, 2.5, 0.25), (0.0, 0.1, 0.0)]
)
def test_real_time_factor(duration: float, inference_time: float, factor: float) -> None:
    assert Transcription("", "en", 1.0, duration, inference_time, ()).real_time_factor == factor


def test_a_duration_that_is_no_number_gives_none() -> None:
    assert math.isnan(Transcription("", "en", 1.0, math.nan, 0.1, ()).real_time_factor)


def test_figures_are_those_that_replies_show() -> None:
    assert Transcription("", "en", 1.0, 10.0, 2.5, ()).figures == {"rtf": 0.25}
