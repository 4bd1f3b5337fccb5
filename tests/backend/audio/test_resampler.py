"""rtap.audio.resampler: streams at any rate become streams at ours."""

import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from rtap.audio.resampler import Resampler
from tests.backend.transports.scripted_service import tone


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_every_rate_becomes_16_khz(rate):
    resampler = Resampler(rate)
    sound = tone(2.0, rate=rate)
    parts = [resampler.push(part) for part in np.array_split(sound, 37)]
    result = np.concatenate([*parts, resampler.flush()])
    assert abs(result.size - 2 * SAMPLE_RATE) <= 1
    spectrum = np.abs(np.fft.rfft(result))
    assert spectrum.argmax() * SAMPLE_RATE / result.size == pytest.approx(440, abs=1)
