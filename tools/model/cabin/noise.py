"""What is heard in a car besides speech, synthesised from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from rtap.audio.format import SAMPLE_RATE

Samples = NDArray[np.float32]

_BABBLE_VOICES: Final = (4, 9)
_NOTE_A4: Final = 440.0


def shaped(rng: Generator, size: int, slope: float, *, peaks: int = 0) -> Samples:
    """Gaussian noise whose power falls by ``slope`` dB per octave, with some random resonances."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 20.0)
    gain = (hertz / 20.0) ** (-slope / 20 / np.log10(2.0))
    for _ in range(peaks):
        centre = 10 ** rng.uniform(1.8, 3.7)
        width = centre * rng.uniform(0.05, 0.4)
        gain *= 1 + rng.uniform(1, 8) * np.exp(-(((hertz - centre) / width) ** 2))
    return _unit(np.fft.irfft(spectrum * gain, size))


def road(rng: Generator, size: int) -> Samples:
    """Tyres and body: steep low-frequency noise that swells with the surface."""
    rumble = shaped(rng, size, rng.uniform(6, 10), peaks=2)
    tyres = shaped(rng, size, rng.uniform(2, 5), peaks=3)
    return _unit((rumble + rng.uniform(0.1, 0.8) * tyres) * _swell(rng, size, 1.5, 0.4))


def engine(rng: Generator, size: int) -> Samples:
    """Harmonics of a drifting firing frequency (25 to 130 Hz), and a little broadband noise."""
    hertz = rng.uniform(25, 130) * (1 + 0.25 * (_swell(rng, size, 6.0, 0.5) - 1))
    phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    decay = rng.uniform(0.75, 0.95)
    sound = np.zeros(size)
    for harmonic in range(1, 25):
        level = rng.uniform(0.2, 1) * decay**harmonic
        sound += level * np.sin(harmonic * phase / 2 + rng.uniform(0, 2 * np.pi))
    return _unit(_unit(sound) + rng.uniform(0.2, 0.8) * shaped(rng, size, 5))


def wind(rng: Generator, size: int) -> Samples:
    """Gusts at an open window."""
    return _unit(shaped(rng, size, rng.uniform(3, 7), peaks=1) * _swell(rng, size, 0.7, 0.9))


def fan(rng: Generator, size: int) -> Samples:
    """Ventilation: flat noise with a hum and its harmonics."""
    time = np.arange(size) / SAMPLE_RATE
    hum = rng.uniform(60, 400)
    tone = sum(rng.uniform(0, 0.3) * np.sin(2 * np.pi * hum * n * time) for n in range(1, 6))
    return _unit(shaped(rng, size, rng.uniform(0, 4), peaks=4) + tone)


def rain(rng: Generator, size: int) -> Samples:
    """Drops on the roof over a hiss, with wipers in some of it."""
    drops = np.zeros(size)
    count = int(size / SAMPLE_RATE * rng.uniform(40, 400))
    drops[rng.integers(0, size, count)] = rng.exponential(1.0, count)
    ring = _ping(rng, rng.uniform(400, 3500), 0.01)
    sound = _unit(fftconvolve(drops, ring)[:size]) + rng.uniform(0.1, 0.6) * shaped(rng, size, 1)
    if rng.random() < 0.5:
        period = rng.uniform(0.6, 1.6)
        stroke = np.sin(np.pi * np.arange(size) / SAMPLE_RATE / period) ** 8
        sound = sound + stroke * shaped(rng, size, 2, peaks=2)
    return _unit(sound)


def clicks(rng: Generator, size: int) -> Samples:
    """Indicators, switches, knocks, doors and coughs over a faint bed: single sounds or a steady beat."""
    sound = 0.02 * shaped(rng, size, rng.uniform(0, 6)).astype(np.float64)
    begin = 0.0
    steady = rng.random() < 0.4
    gap = rng.uniform(0.25, 1.5)
    maker = rng.choice(len(_EVENTS))
    while begin < size / SAMPLE_RATE:
        event = _EVENTS[maker if steady else rng.integers(len(_EVENTS))](rng)
        place = int(begin * SAMPLE_RATE)
        part = event[: size - place]
        sound[place : place + part.size] += rng.uniform(0.3, 1.0) * part
        begin += gap if steady else rng.exponential(0.6) + 0.05
    return _unit(sound)


def tones(rng: Generator, size: int) -> Samples:
    """Chimes, telephone tones, sirens and horns."""
    sound = np.zeros(size)
    begin = 0
    while begin < size:
        length = int(rng.uniform(0.08, 1.2) * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        low = rng.uniform(200, 2500)
        sweep = rng.choice([0.0, 0.0, rng.uniform(-0.5, 1.0)])
        phase = 2 * np.pi * low * (time + sweep * time**2 / (2 * time[-1]))
        tone = sum(rng.uniform(0, 1) / n * np.sin(n * phase) for n in range(1, 5))
        tone *= np.minimum(1, np.minimum(time, time[-1] - time) / 0.01)
        part = tone[: size - begin]
        sound[begin : begin + part.size] += part
        begin += length + int(rng.exponential(0.3) * SAMPLE_RATE)
    return _unit(sound + 0.01 * rng.standard_normal(size))


def music(rng: Generator, size: int) -> Samples:
    """Chords, a melody and drums on a random scale and tempo."""
    beat = int(SAMPLE_RATE * 60 / rng.uniform(70, 160))
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    root = int(rng.integers(-20, -5))
    timbre = rng.uniform(0.4, 0.9)
    sound = np.zeros(size + 4 * beat)
    degree = 0
    for index, begin in enumerate(range(0, size, beat)):
        if index % 4 == 0:
            degree = int(rng.integers(7))
            for third in (0, 2, 4):
                _add(sound, begin, 0.5 * _note(rng, scale, root, degree + third, 4 * beat, timbre))
        if rng.random() < 0.75:
            step = degree + int(rng.integers(7, 15))
            _add(sound, begin, _note(rng, scale, root, step, beat, timbre))
        if rng.random() < 0.8:
            _add(sound, begin, rng.uniform(0.3, 1.2) * _drum(rng))
    return _unit(sound[:size])


GENERATORS: Final[Mapping[str, Callable[[Generator, int], Samples]]] = {
    "road": road,
    "engine": engine,
    "wind": wind,
    "fan": fan,
    "rain": rain,
    "clicks": clicks,
    "tones": tones,
    "music": music,
}
"""Everything but babble, which is made of speech. Each gives samples with an RMS of 1."""


def babble(rng: Generator, size: int, speech: Sequence[NDArray[np.int16]]) -> Samples:
    """Several people at once, so that no single word can be made out."""
    sound = np.zeros(size)
    for _ in range(int(rng.integers(*_BABBLE_VOICES))):
        level = rng.uniform(0.5, 1.0)
        begin = -int(rng.integers(0, SAMPLE_RATE))
        while begin < size:
            voice = speech[int(rng.integers(len(speech)))].astype(np.float64) / 32768
            if begin + voice.size > 0:
                part = voice[max(-begin, 0) : size - begin]
                sound[max(begin, 0) : max(begin, 0) + part.size] += level * part
            begin += voice.size + int(rng.uniform(0, 0.2) * SAMPLE_RATE)
    return _unit(sound)


def cabin(rng: Generator, size: int) -> Samples:
    """A moving car: road, engine, wind and ventilation in random parts."""
    parts = [
        rng.uniform(0.3, 1.0) * road(rng, size),
        rng.uniform(0.0, 0.8) * engine(rng, size),
        rng.uniform(0.0, 0.6) * wind(rng, size),
        rng.uniform(0.0, 0.5) * fan(rng, size),
    ]
    return _unit(np.sum(parts, axis=0))


def bank(
    rng: Generator, seconds: float, pieces: int, speech: Sequence[NDArray[np.int16]]
) -> dict[str, Samples]:
    """A stock of every kind to cut from: ``pieces`` times ``seconds`` of each, end to end."""
    size = int(seconds * SAMPLE_RATE)
    kinds = {
        name: np.concatenate([make(rng, size) for _ in range(pieces)])
        for name, make in {**GENERATORS, "cabin": cabin}.items()
    }
    kinds["babble"] = np.concatenate([babble(rng, size, speech) for _ in range(pieces)])
    return kinds


def _swell(rng: Generator, size: int, seconds: float, depth: float) -> NDArray[np.float64]:
    """A positive factor around 1 that changes about every ``seconds``."""
    knots = max(int(size / SAMPLE_RATE / seconds) + 2, 3)
    values = np.maximum(1 + depth * rng.uniform(-1, 1, knots), 0.02)
    return np.interp(np.linspace(0, knots - 1, size), np.arange(knots), values)


def _unit(sound: NDArray[np.floating]) -> Samples:
    rms = float(np.sqrt(np.mean(np.square(sound))))
    return (sound / max(rms, 1e-9)).astype(np.float32)


def _add(sound: NDArray[np.float64], begin: int, part: NDArray[np.float64]) -> None:
    room = sound[begin : begin + part.size]
    room += part[: room.size]


def _note(
    rng: Generator, scale: NDArray[np.int_], root: int, degree: int, length: int, timbre: float
) -> NDArray[np.float64]:
    octave, step = divmod(degree, 7)
    hertz = _NOTE_A4 * 2 ** ((root + 12 * octave + int(scale[step])) / 12)
    time = np.arange(length) / SAMPLE_RATE
    envelope = np.minimum(time / 0.01, 1) * np.exp(-time * rng.uniform(0.5, 5))
    tone = sum(timbre**n * np.sin(2 * np.pi * hertz * n * time) for n in range(1, 7))
    return np.asarray(tone * envelope)


def _drum(rng: Generator) -> NDArray[np.float64]:
    time = np.arange(int(0.2 * SAMPLE_RATE)) / SAMPLE_RATE
    body = np.sin(2 * np.pi * rng.uniform(50, 200) * time * np.exp(-time * 8))
    hiss = rng.standard_normal(time.size)
    mix = rng.random()
    return np.asarray((mix * body + (1 - mix) * hiss) * np.exp(-time * rng.uniform(15, 60)))


def _ping(rng: Generator, hertz: float, seconds: float) -> NDArray[np.float64]:
    time = np.arange(int(5 * seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(
        np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6)) * np.exp(-time / seconds)
    )


def _click(rng: Generator) -> NDArray[np.float64]:
    return _ping(rng, rng.uniform(800, 6000), rng.uniform(0.0005, 0.006))


def _knock(rng: Generator) -> NDArray[np.float64]:
    body = _ping(rng, rng.uniform(60, 500), rng.uniform(0.01, 0.06))
    return body + 0.4 * rng.standard_normal(body.size) * np.exp(-np.arange(body.size) / 80)


def _slam(rng: Generator) -> NDArray[np.float64]:
    size = int(rng.uniform(0.1, 0.5) * SAMPLE_RATE)
    fall = np.exp(-np.arange(size) / SAMPLE_RATE * rng.uniform(8, 30))
    return np.asarray(shaped(rng, size, rng.uniform(3, 9)) * fall, np.float64)


def _cough(rng: Generator) -> NDArray[np.float64]:
    """Noise through two resonances of a vocal tract, in one or two bursts."""
    size = int(rng.uniform(0.12, 0.4) * SAMPLE_RATE)
    sound = rng.standard_normal(size)
    for hertz in (rng.uniform(400, 900), rng.uniform(1200, 2600)):
        radius = np.exp(-np.pi * rng.uniform(100, 300) / SAMPLE_RATE)
        angle = 2 * np.pi * hertz / SAMPLE_RATE
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound)
    time = np.arange(size) / SAMPLE_RATE
    envelope = np.minimum(time / 0.015, 1) * np.exp(-time * rng.uniform(6, 18))
    burst = sound / np.abs(sound).max() * envelope
    return np.concatenate([burst, 0.7 * burst]) if rng.random() < 0.4 else burst


_EVENTS: Final = (_click, _click, _knock, _slam, _cough)
