import numpy as np
import pytest

from rtap.audio.level import QUIETEST, dbfs, meter


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, -3.01), (0.1, -23.01), (1e-9, QUIETEST)])
def test_of_a_sine(amplitude: float, level: float) -> None:
    sine = amplitude * np.sin(2 * np.pi * np.arange(1600) / 160)
    assert dbfs(sine.astype(np.float32)) == pytest.approx(level, abs=0.01)


def test_ends_of_the_scale() -> None:
    assert dbfs(np.zeros(320, np.float32)) == dbfs(np.empty(0, np.float32)) == QUIETEST
    assert dbfs(np.ones(320, np.float32)) == 0.0


@pytest.mark.parametrize(("level", "shown"), [(-90, 0), (-60, 0), (-30, 0.5), (0, 1)])
def test_a_meter_is_even_in_decibels(level: float, shown: float) -> None:
    assert meter(level) == shown
