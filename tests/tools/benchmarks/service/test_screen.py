"""What the screen's frames and memory are turned into; the program itself is tested in tests/gui."""

from __future__ import annotations

import pytest

from rtap.errors import ConfigurationError
from tools.benchmarks.result import Figure
from tools.benchmarks.service import screen
from tools.benchmarks.service.plan import Plan
from tools.gui import packages
from tools.gui.application import Frames

SMOOTH = Frames(frames=63, ms=1000.0, longest_ms=20.0)
JERKY = Frames(frames=40, ms=1000.0, longest_ms=90.0)


def figures(*seconds: Frames, memory: float = 70.0) -> dict[str, Figure]:
    return {one.name: one for one in screen._figures("800x480", list(seconds), memory)}


def test_the_second_of_the_touch_is_told_apart() -> None:
    found = figures(JERKY, SMOOTH, SMOOTH)
    assert found["frames per second, 800x480, p50"].value == 63.0
    assert found["frames per second, 800x480, p50"].reached
    assert found["frames per second, 800x480, in the first one"].value == 40.0
    assert found["longest frame of a second, 800x480, p50"].value == 20.0


def test_goals_are_missed() -> None:
    found = figures(SMOOTH, JERKY, JERKY, memory=151.0)
    assert found["frames per second, 800x480, p50"].reached is False
    assert found["memory, 800x480"].reached is False


def test_nothing_moved() -> None:
    [figure] = figures(SMOOTH).values()
    assert (figure.value, figure.reached) == (None, False)


def test_without_qt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "advice", lambda: "apt-get install qt6-base-dev")
    with pytest.raises(ConfigurationError, match="qt6-base-dev"):
        screen.measure(Plan())
