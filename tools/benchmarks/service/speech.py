"""What is said to the service: spoken commands of which we know where speech ends."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile
import soxr

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.errors import ConfigurationError
from tools.root import ROOT

AUDIO: Final = ROOT / "tests/audio"
_SPOKEN: Final = ("turn_on_the_heating", "navigate_home", "set_the_temperature")
"""One utterance each, without a pause that would end it."""
_TEXTS: Final = {"set_the_temperature": "set the temperature to twenty one degrees"}
"""Of those whose text is not their name."""
_MORE: Final = (
    ("en-us", "call my mother"),
    ("en-gb", "play the next song"),
    ("en-us+f3", "open the driver's window"),
    ("en-gb+f2", "how far is it to the next petrol station"),
    ("en-us+m3", "turn the volume down"),
    ("en-gb", "switch on the heated seats"),
)
"""Voices and sentences for espeak-ng."""
_FRAME: Final = SAMPLE_RATE // 100
_QUIET: Final = 10 ** (-35 / 20)
"""Of the loudest 10 ms: what is quieter is no speech. The files are synthesised and have no noise."""
_PAUSE: Final = SAMPLE_RATE // 4
_BETWEEN: Final = (0.8, 1.6)
"""Seconds between two commands in a recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """One command."""

    text: str
    samples: Samples
    """Mono, 16 kHz, shape (samples,)."""
    end_of_speech: int
    """The sample after the last one of speech."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A file with many commands in it."""

    samples: Samples
    words: int
    """That are said in it."""

    def wav(self) -> bytes:
        """A whole WAV file with 16-bit samples."""
        return wav(self.samples)


def phrases() -> tuple[Phrase, ...]:
    """The commands of ``tests/audio``, the same on every machine.

    Raises:
        ConfigurationError: they are not there.
    """
    return tuple(_read(name) for name in _SPOKEN)


def synthesised() -> tuple[Phrase, ...]:
    """More commands, spoken by espeak-ng; none where it is not installed."""
    program = shutil.which("espeak-ng")
    return () if program is None else tuple(_speak(program, *one) for one in _MORE)


def mixed(spoken: Sequence[Phrase], count: int, seed: int) -> tuple[Phrase, ...]:
    """Commands of many lengths: one to three of them in one breath, with pauses too short to end it."""
    rng = np.random.default_rng(seed)
    return tuple(
        _joined([spoken[i] for i in rng.integers(len(spoken), size=rng.integers(1, 4))])
        for _ in range(count)
    )


def recording(spoken: Sequence[Phrase], seconds: float, seed: int) -> Recording:
    """One command after the other, for exactly so many seconds; the end is silence."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    position, words = 0, 0
    while True:
        phrase = spoken[int(rng.integers(len(spoken)))]
        if position + phrase.samples.size > samples.size:
            return Recording(samples, words)
        samples[position : position + phrase.samples.size] = phrase.samples
        words += len(phrase.text.split())
        position += phrase.samples.size + int(rng.uniform(*_BETWEEN) * SAMPLE_RATE)


def wav(samples: Samples) -> bytes:
    """A WAV file with 16-bit samples."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def end_of_speech(samples: Samples) -> int:
    """The sample after the last 10 ms that are loud enough to be speech."""
    frames = samples[: samples.size - samples.size % _FRAME].reshape(-1, _FRAME)
    level = np.sqrt(np.mean(np.square(frames), axis=1))
    return int(np.flatnonzero(level >= _QUIET * level.max())[-1] + 1) * _FRAME


def _read(name: str) -> Phrase:
    path = AUDIO / f"{name}.wav"
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except (OSError, soundfile.SoundFileError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error}): run this in a whole checkout"
        ) from error
    assert rate == SAMPLE_RATE
    return Phrase(_TEXTS.get(name, name.replace("_", " ")), samples, end_of_speech(samples))


def _speak(program: str, voice: str, text: str) -> Phrase:
    command = [program, "-v", voice, "-s", "150", "--stdout", text]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        spoken, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except (OSError, subprocess.CalledProcessError, soundfile.SoundFileError) as error:
        raise ConfigurationError(f"espeak-ng cannot speak ({error}): install it anew") from error
    samples = soxr.resample(spoken, rate, SAMPLE_RATE).astype(np.float32)
    samples *= np.float32(0.7 / np.abs(samples).max())
    return Phrase(text, samples, end_of_speech(samples))


def _joined(spoken: Sequence[Phrase]) -> Phrase:
    pause = np.zeros(_PAUSE, np.float32)
    parts = [part for phrase in spoken for part in (phrase.samples[: phrase.end_of_speech], pause)][
        :-1
    ]
    samples = np.concatenate(parts)
    return Phrase(" ".join(phrase.text for phrase in spoken), samples, samples.size)
