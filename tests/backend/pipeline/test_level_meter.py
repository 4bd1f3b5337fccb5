"""rtap.pipeline.level_meter: when it measures, and over what."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.audio.level import QUIETEST
from rtap.pipeline.level_meter import LevelMeter

LOUD, SILENT = np.full(320, 0.1, np.float32), np.zeros(320, np.float32)


def test_ten_times_a_second() -> None:
    meter = LevelMeter()
    levels = [meter.push(LOUD) for _ in range(50)]
    assert [index for index, level in enumerate(levels) if level is not None] == [
        4, 9, 14, 19, 24, 29, 34, 39, 44, 49,
    ]  # fmt: skip
    assert levels[4] == pytest.approx(-20)


def test_each_level_is_of_its_own_tenth() -> None:
    meter = LevelMeter()
    levels = [meter.push(samples) for samples in [LOUD] * 5 + [SILENT] * 5]
    assert levels[9] == QUIETEST


def test_what_was_before_is_forgotten() -> None:
    meter = LevelMeter()
    meter.push(LOUD)
    meter.reset()
    assert [meter.push(SILENT) for _ in range(5)] == [None] * 4 + [QUIETEST]
