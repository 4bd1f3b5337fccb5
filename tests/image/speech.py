"""Spoken commands, in the device's room."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from tests.image.device import CONTAINER, Booted
from tests.image.screen_text import seen
from tools.model.evaluation import people
from tools.root import ROOT

AUDIO: Final = ROOT / "tests/audio"
COMMANDS: Final = {
    "navigate_home.wav": "navigate home",
    "turn_on_the_heating.wav": "turn on the heating",
    "set_the_temperature.wav": "set the temperature to twenty one degrees",
}
_WAKE_WORD: Final = AUDIO / "wake_word/hey_mycroft.wav"
_RATE: Final = 16000
_DECODE: Final = (
    "import io, soundfile, sys; out = io.BytesIO(); "
    "sound, rate = soundfile.read(io.BytesIO(sys.stdin.buffer.read())); "
    "soundfile.write(out, sound, rate, format='WAV', subtype='PCM_16'); "
    "sys.stdout.buffer.write(out.getvalue())"
)
_ATTEMPTS: Final = 4


def words(text: str) -> str:
    """A sentence without case and punctuation."""
    return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ")).strip()


def read(file: Path) -> NDArray[np.float32]:
    """Samples at 16 kHz, -1 to 1."""
    sound, rate = soundfile.read(file, dtype="float32")
    return np.asarray(soxr.resample(sound, rate, _RATE), dtype=np.float32)


def a_person(sentence: str) -> Path:
    """The recording in which a person says something, of Debian's alsa-utils."""
    for file, text in people.recordings().items():
        if text == sentence:
            return file
    pytest.skip("alsa-utils is not to be had: tools/setup/install_packages.sh alsa-utils")


def after_the_wake_word(file: Path) -> NDArray[np.float32]:
    """A command with the wake word before it."""
    pause = np.zeros(int(0.7 * _RATE), np.float32)
    return np.concatenate([pause, read(_WAKE_WORD), pause, read(file), pause])


def bring(booted: Booted, sound: NDArray[np.float32], path: str) -> None:
    """Put a WAV file on the device. Its console is slow, so it goes there compressed."""
    packed = io.BytesIO()
    soundfile.write(packed, sound, _RATE, format="OGG", subtype="VORBIS")
    booted.machine.console.write_file(f"{path}.ogg", packed.getvalue())
    decode = f"docker exec --interactive {CONTAINER} python -c {shlex.quote(_DECODE)}"
    booted.run(f"{decode} <{path}.ogg >{path}", 120)


def say_until_seen(
    booted: Booted, path: str, sentence: str, pictures: Path, seconds: float = 45
) -> int:
    """Play a file into the loopback sound card, which is the microphone, until the screen shows a sentence.

    A driver who isn't understood says it again.

    Args:
        seconds: how long the screen may take.

    Returns:
        How often it was played.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        booted.run(f"aplay -q -D plughw:CARD=Loopback,DEV=1 {path}", 120)
        try:
            seen(booted, pictures, sentence, seconds=seconds)
        except AssertionError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return attempt
    raise AssertionError("the last attempt raises")
