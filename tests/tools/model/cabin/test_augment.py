import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin.augment import FULL, LIGHT, Cabin, Strength

CLEAN = Strength(noisy=0, snr=(0, 0), reverberant=0, speed=0, filtered=0)
TONE = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
SPEECH = np.round(0.7 * 32767 * TONE).astype(np.int16)


@pytest.fixture
def cabin() -> Cabin:
    rng = np.random.default_rng(0)
    return Cabin(
        {kind: rng.standard_normal(8 * SAMPLE_RATE).astype(np.float32) for kind in ("cabin", "fan")}
    )


def test_without_strength_speech_keeps_its_shape(cabin: Cabin) -> None:
    rng = np.random.default_rng(1)
    audio = cabin.resampled(SPEECH, CLEAN, rng)
    heard = cabin.heard(audio, CLEAN, rng)
    assert audio.size == heard.size == SPEECH.size
    assert np.corrcoef(TONE, heard)[0, 1] > 0.999


@pytest.mark.parametrize("decibels", [0.0, 10.0, 20.0])
def test_noise_is_added_at_the_ratio_asked_for(cabin: Cabin, decibels: float) -> None:
    strength = Strength(noisy=1, snr=(decibels, decibels), reverberant=0, speed=0, filtered=0)
    levels = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        heard = cabin.heard(cabin.resampled(SPEECH, strength, rng), strength, rng)
        tone = np.dot(heard, TONE) / np.dot(TONE, TONE)
        noise = heard - tone * TONE
        levels.append(10 * np.log10(np.var(tone * TONE) / np.var(noise)))
    # One time in five there is a second source, which adds up to 3 dB.
    assert max(levels) == pytest.approx(decibels, abs=0.3)
    assert decibels - 3.3 < min(levels)


def test_speed_changes_length_and_pitch(cabin: Cabin) -> None:
    strength = Strength(noisy=0, snr=(0, 0), reverberant=0, speed=0.2, filtered=0)
    for seed in range(10):
        audio = cabin.resampled(SPEECH, strength, np.random.default_rng(seed))
        spectrum = np.abs(np.fft.rfft(audio))
        hertz = np.argmax(spectrum) * SAMPLE_RATE / audio.size
        assert 0.8 <= SPEECH.size / audio.size <= 1.25
        assert hertz == pytest.approx(440 * SPEECH.size / audio.size, abs=2)


def test_reverberation_fills_the_time_after_speech(cabin: Cabin) -> None:
    strength = Strength(noisy=0, snr=(0, 0), reverberant=1, speed=0, filtered=0)
    rng = np.random.default_rng(2)
    speech = cabin.resampled(SPEECH, strength, rng)
    audio = np.concatenate([speech, np.zeros(SAMPLE_RATE // 2, np.float32)])
    heard = cabin.heard(audio, strength, rng)
    after = heard[SPEECH.size : SPEECH.size + 400]
    late = heard[-2000:]
    assert np.std(after) > 3 * np.std(late)


def test_nothing_leaves_full_scale(cabin: Cabin) -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        heard = cabin.heard(cabin.resampled(SPEECH, FULL, rng), FULL, rng)
        empty = cabin.without_speech(SAMPLE_RATE, rng)
        for audio in (heard, empty):
            assert audio.dtype == np.float32
            assert np.abs(audio).max() <= 1.0 + 1e-6


def test_strength_grows_between_light_and_full() -> None:
    assert LIGHT.towards(FULL, 0.0) == LIGHT
    assert LIGHT.towards(FULL, 1.0) == FULL
    middle = LIGHT.towards(FULL, 0.5)
    assert LIGHT.noisy < middle.noisy < FULL.noisy
    assert LIGHT.snr[0] > middle.snr[0] > FULL.snr[0]
