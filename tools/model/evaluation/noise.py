"""Noise mixed into recordings at a given level, the same again with the same seed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.evaluation.data import AUDIO_SUFFIXES, Utterance

Samples = NDArray[np.float32]

CLEAN: Final = "clean"
_FRAME: Final = SAMPLE_RATE // 50
_MARGIN_DECIBELS: Final = 15.9
"""ITU-T P.56: what is more than this below the level of the speech is a pause."""


def speech_power(samples: Samples) -> float:
    """Mean square of the speech without its pauses.

    After the active speech level of ITU-T P.56, in frames of 20 ms: those count that are at most 15.9 dB
    below the level that comes out. It is found by leaving out quieter frames until none is left out any more.
    So neither long pauses nor silence around a command make the noise that is mixed in quieter.
    """
    whole = samples[: samples.size - samples.size % _FRAME]
    if not whole.size:
        return _power(samples)
    powers = np.square(whole.astype(np.float64)).reshape(-1, _FRAME).mean(axis=1)
    level = float(powers.mean())
    while True:
        active = powers[powers >= level * 10 ** (-_MARGIN_DECIBELS / 10)]
        # Each round leaves out more, so the level only rises, until it stays.
        louder = float(active.mean()) if active.size else level
        if louder <= level:
            return level
        level = louder


@dataclass(frozen=True, slots=True)
class NoiseMixer:
    """Mixes a stretch of noise into every clip: which one and from where depends on seed and clip alone."""

    noises: Sequence[Samples]
    name: str
    seed: int = 0

    @classmethod
    def open(cls, folder: Path, seed: int) -> NoiseMixer:
        """All audio files of a folder, in the order of their names.

        Raises:
            ConfigurationError: there is no such folder, no audio in it, or a silent file.
            AudioError: a file cannot be decoded.
        """
        if not folder.is_dir():
            raise ConfigurationError(f"{folder} is no folder: give --noise a folder of audio files")
        files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in AUDIO_SUFFIXES]
        if not files:
            raise ConfigurationError(
                f"{folder} has no audio files: give --noise a folder with recordings of noise"
            )
        noises = []
        for file in files:
            with AudioFile.open(file, str(file), lambda _: None) as audio:
                samples = np.concatenate([*audio.blocks(), np.empty(0, np.float32)])
            if not samples.any():
                raise ConfigurationError(f"{file} is silent: take it out of the noises")
            noises.append(samples)
        return cls(noises, folder.resolve().name, seed)

    def mix(self, samples: Samples, clip: str, snr: float) -> Samples:
        """The clip with noise.

        Args:
            samples: [n] speech, within -1 to 1; silence stays as it is.
            clip: its name, which together with the seed decides on the noise.
            snr: decibels of the speech (see :func:`speech_power`) over the noise.
        """
        power = speech_power(samples)
        if not power:
            return samples
        noise = self._stretch(samples.size, clip)
        gain = math.sqrt(power / _power(noise) * 10 ** (-snr / 10))
        mixed = samples + noise * np.float32(gain)
        # Turned down as a whole, where it would be clipped: the ratio stays.
        turned_down = mixed / max(1.0, float(np.abs(mixed).max()))
        return turned_down.astype(np.float32)

    def _stretch(self, size: int, clip: str) -> Samples:
        random = np.random.default_rng([self.seed, zlib.crc32(clip.encode("utf-8", "replace"))])
        noise = self.noises[int(random.integers(len(self.noises)))]
        # Never within a pause, so that there is a level to go by.
        start = int(random.choice(np.flatnonzero(noise)))
        return np.resize(np.roll(noise, -start), size)


def in_noise(utterances: Iterable[Utterance], levels: Sequence[float | None]) -> list[Utterance]:
    """Every utterance with speech at every level; those without speech only where clean is one of them.

    Args:
        levels: decibels; None is clean.
    """
    everything = list(utterances)
    found = []
    for level in levels:
        for one in everything:
            if level is not None and one.is_speech:
                found.append(replace(one, noise=f"{level:g} dB", snr=level))
            elif level is None:
                found.append(replace(one, noise=one.noise or CLEAN))
    return found


def _power(samples: Samples) -> float:
    return float(np.square(samples.astype(np.float64)).mean()) if samples.size else 0.0
