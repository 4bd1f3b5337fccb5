"""rtap.audio.downmix: the mean, and when it is of no use."""

import numpy as np
import pytest

from rtap.audio.downmix import mixed

WAVE = np.sin(np.arange(320) / 5).astype(np.float32)


def channels(*waves: np.ndarray) -> np.ndarray:
    return np.stack(waves, axis=1).astype(np.float32)


def test_one_channel_is_taken_as_it_is() -> None:
    mono, channel = mixed(WAVE[:, None])
    np.testing.assert_array_equal(mono, WAVE)
    assert channel is None


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.0])
def test_the_mean_of_channels_that_do_not_cancel(gain: float) -> None:
    mono, channel = mixed(channels(WAVE, gain * WAVE))
    np.testing.assert_allclose(mono, (1 + gain) / 2 * WAVE, atol=1e-6)
    assert channel is None


def test_one_of_eight_that_speaks() -> None:
    assert mixed(channels(WAVE, *[0 * WAVE] * 7))[1] is None


def test_unrelated_noise_does_not_cancel() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert mixed(rng.normal(0, 0.1, (320, 2)).astype(np.float32))[1] is None


def test_the_loudest_of_channels_that_cancel() -> None:
    mono, channel = mixed(channels(0.9 * WAVE, -WAVE))
    np.testing.assert_array_equal(mono, -WAVE)
    assert channel == 1


def test_a_channel_once_taken_stays() -> None:
    mono, channel = mixed(channels(WAVE, 0.5 * WAVE), 1)
    np.testing.assert_array_equal(mono, 0.5 * WAVE)
    assert channel == 1


def test_faint_noise_decides_nothing() -> None:
    assert mixed(channels(1e-5 * WAVE, -1e-5 * WAVE))[1] is None
    assert mixed(np.empty((0, 2), np.float32))[1] is None
