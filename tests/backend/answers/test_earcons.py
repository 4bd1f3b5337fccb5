"""rtap.answers.earcons: short, quiet, without clicks, and not alike."""

from itertools import combinations

import numpy as np
import pytest
import soxr

from rtap.answers.answer import Earcon
from rtap.answers.earcons import PEAK, RATE, tone
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.stages.vad import Vad


@pytest.mark.parametrize("earcon", Earcon)
def test_short_quiet_and_without_clicks(earcon: Earcon):
    sound = tone(earcon)
    assert sound.dtype == np.float32
    assert 0.15 <= sound.size / RATE <= 0.3
    assert np.abs(sound).max() == pytest.approx(PEAK, rel=0.01)
    assert abs(sound[0]) < 0.001
    assert abs(sound[-1]) < 0.001
    # A click is energy all over the spectrum; the highest overtone is at 3.5 kHz.
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    above = spectrum[np.fft.rfftfreq(sound.size, 1 / RATE) > 5_000]
    assert above.sum() < 1e-5 * spectrum.sum()
    assert np.abs(np.diff(sound)).max() < 0.15


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


@pytest.mark.parametrize("earcon", Earcon)
@pytest.mark.parametrize("gain", [5, 1, 0.2, 0.05])
def test_the_assistant_does_not_take_them_for_speech(earcon: Earcon, gain: float):
    noise = np.random.default_rng(0).normal(0, 0.001, (2, SAMPLE_RATE))
    sound = gain * soxr.resample(tone(earcon), RATE, SAMPLE_RATE)
    heard = Vad().probabilities(np.concatenate([noise[0], sound, noise[1]]).astype(np.float32))
    # The first chunk of a stream is judged as if it came out of digital silence.
    assert heard[1:].max() < 0.35
