"""rtap.answers.earcons: short, quiet, without clicks, and not alike."""

from itertools import combinations

import numpy as np
import pytest

from rtap.answers.answer import Earcon
from rtap.answers.earcons import PEAK, RATE, tone
from rtap.audio.format import Samples


@pytest.mark.parametrize("earcon", Earcon)
def test_short_quiet_and_without_clicks(earcon: Earcon):
    sound = tone(earcon)
    assert sound.dtype == np.float32
    assert 0.15 <= sound.size / RATE <= 0.3
    assert np.abs(sound).max() == pytest.approx(PEAK, rel=0.01)
    assert abs(sound[0]) < 0.001
    assert abs(sound[-1]) < 0.001
    # A click is energy all over the spectrum; the highest overtone is at 3.1 kHz.
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    above = spectrum[np.fft.rfftfreq(sound.size, 1 / RATE) > 5_000]
    assert above.sum() < 1e-5 * spectrum.sum()
    assert np.abs(np.diff(sound)).max() < 0.1


def pitches(sound: Samples) -> list[float]:
    """The loudest frequency in hertz of each 40 ms."""
    size = round(0.04 * RATE)
    return [
        float(
            np.argmax(np.abs(np.fft.rfft(sound[start : start + size], 8 * size)))
            * RATE
            / (8 * size)
        )
        for start in range(0, sound.size - size, size)
    ]


def test_their_melodies_differ():
    melodies = {earcon: pitches(tone(earcon)) for earcon in Earcon}
    for one, other in combinations(Earcon, 2):
        differences = [abs(a / b - 1) for a, b in zip(melodies[one], melodies[other], strict=False)]
        assert max(differences) > 0.15, (one, other)
    assert melodies[Earcon.DONE][-1] > melodies[Earcon.DONE][0]
    assert melodies[Earcon.FAILED][-1] < melodies[Earcon.FAILED][0]
