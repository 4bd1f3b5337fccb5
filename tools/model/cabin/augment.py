"""Makes clean speech sound as it does in a car, differently every time it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.signal import butter, sosfilt

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin.noise import Samples

SPEECH_PEAK: Final = 0.7
"""Of clean speech that is given to a cabin; noise is set against it."""
_REVERB_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard training audio is made.

    Args:
        noisy: part of the utterances with noise besides the faint hiss that all have.
        snr: signal-to-noise ratio of those in dB (lowest, highest).
        reverberant: part with the echoes of a cabin.
        speed: largest change of speed, and so of pitch and formants, as a factor beside 1.
        filtered: part heard through a narrow microphone or clipped.
    """

    noisy: float
    snr: tuple[float, float]
    reverberant: float
    speed: float
    filtered: float

    def towards(self, other: Strength, part: float) -> Strength:
        """Between this one (0) and another one (1)."""

        def mix(mine: float, theirs: float) -> float:
            return mine + (theirs - mine) * part

        return Strength(
            mix(self.noisy, other.noisy),
            (mix(self.snr[0], other.snr[0]), mix(self.snr[1], other.snr[1])),
            mix(self.reverberant, other.reverberant),
            mix(self.speed, other.speed),
            mix(self.filtered, other.filtered),
        )


LIGHT: Final = Strength(noisy=0.3, snr=(15, 40), reverberant=0.1, speed=0.05, filtered=0.05)
FULL: Final = Strength(noisy=0.65, snr=(3, 30), reverberant=0.3, speed=0.12, filtered=0.15)


class Cabin:
    """A microphone in a car.

    Args:
        noises: stocks to cut from, by kind, each with an RMS of 1.
    """

    def __init__(self, noises: Mapping[str, Samples]) -> None:
        self._noises = noises
        self._kinds = sorted(noises)
        # The sounds of driving are what speech is most often heard through.
        self._shares = np.array([4.0 if kind == "cabin" else 1.0 for kind in self._kinds])
        self._shares /= self._shares.sum()

    def resampled(self, speech: NDArray[np.int16], strength: Strength, rng: Generator) -> Samples:
        """The same words faster and higher, or slower and lower, at a peak of 0.7."""
        audio = speech.astype(np.float32) / np.float32(32768)
        factor = 1 + strength.speed * rng.uniform(-1, 1)
        size = max(int(audio.size / factor), 2)
        places = np.linspace(0, audio.size - 1, size)
        slower: Samples = np.interp(places, np.arange(audio.size), audio).astype(np.float32)
        return slower

    def heard(self, audio: Samples, strength: Strength, rng: Generator) -> Samples:
        """Speech with its surrounding silence, as the microphone hears it; the length stays.

        Args:
            audio: speech that starts and ends in digital silence, peak 0.7.
        """
        loudness = float(np.sqrt(np.mean(np.square(audio))))
        if rng.random() < strength.reverberant:
            audio = _reverberated(audio, rng)
        if rng.random() < strength.noisy:
            decibels = rng.uniform(*strength.snr)
            noise = self.noise(audio.size, rng)
            if rng.random() < 0.2:  # two sources at once
                noise = noise + rng.uniform(0.3, 1.0) * self.noise(audio.size, rng)
            audio = audio + noise * np.float32(loudness * 10 ** (-decibels / 20))
        hiss = loudness * 10 ** (-rng.uniform(35, 70) / 20)
        audio = audio + np.float32(hiss) * rng.standard_normal(audio.size, dtype=np.float32)
        if rng.random() < strength.filtered:
            audio = _through_microphone(audio, rng)
        return _at_level(audio, rng)

    def without_speech(self, size: int, rng: Generator) -> Samples:
        """Something that must not become text: silence, one noise, or several that come and go."""
        if rng.random() < 0.1:
            return (10 ** rng.uniform(-5, -2.5) * rng.standard_normal(size)).astype(np.float32)
        audio = self.noise(size, rng)
        for _ in range(int(rng.integers(0, 3))):
            begin = int(rng.integers(0, size))
            part = self.noise(int(rng.integers(size // 10, size)), rng)[: size - begin]
            ramp = np.minimum(1.0, np.arange(part.size) / (0.05 * SAMPLE_RATE))
            audio[begin : begin + part.size] += (rng.uniform(0.2, 2.0) * part * ramp).astype(
                np.float32
            )
        if rng.random() < 0.3:
            audio = _through_microphone(audio, rng)
        if rng.random() < 0.3:
            audio = _reverberated(audio, rng)
        return _at_level(audio, rng)

    def noise(self, size: int, rng: Generator) -> Samples:
        """A random cut of a random kind, with an RMS of about 1."""
        stock = self._noises[self._kinds[rng.choice(len(self._kinds), p=self._shares)]]
        begin = int(rng.integers(0, stock.size - size))
        return stock[begin : begin + size].copy()


def _reverberated(audio: Samples, rng: Generator) -> Samples:
    """Early reflections within a few metres, and a tail that falls by 60 dB in 50 to 200 ms."""
    decay = rng.uniform(0.05, _REVERB_SECONDS)
    time = np.arange(int(decay * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(time.size) * 10 ** (-3 * time / decay)
    response *= rng.uniform(0.02, 0.12)
    response[rng.integers(8, 200, 4)] += rng.uniform(-0.5, 0.5, 4)
    response[0] = 1.0
    size = next_fast_len(audio.size + response.size, real=True)
    spectrum = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[: audio.size].astype(np.float32)


def _through_microphone(audio: Samples, rng: Generator) -> Samples:
    """A cheap microphone: a narrow band, or an amplifier driven too far."""
    if rng.random() < 0.3:
        drive = rng.uniform(2, 8) / max(float(np.abs(audio).max()), 1e-6)
        driven: Samples = np.tanh(audio * np.float32(drive))
        return driven
    band = (rng.uniform(60, 350), rng.uniform(3000, 7500))
    stages = butter(2, band, "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow: Samples = sosfilt(stages, audio).astype(np.float32)
    return narrow


def _at_level(audio: Samples, rng: Generator) -> Samples:
    """Any recording level from faint to full scale."""
    peak = max(float(np.abs(audio).max()), 1e-9)
    return audio * np.float32(10 ** (rng.uniform(-30, 0) / 20) / peak)
