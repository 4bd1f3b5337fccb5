"""espeak-ng's voices: more than 100 languages in 12 MB on disk."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Final

from rtap.answers.voice.engine import Speech, pieces
from rtap.answers.voice.program import Program
from rtap.errors import ConfigurationError, SpeakerError

if TYPE_CHECKING:
    from rtap.config import AnswersConfig

PROGRAM: Final = "espeak-ng"
_WORDS_PER_MINUTE: Final = 160
"""At a speed of 100 %; espeak-ng's own 175 is hurried for a driver."""
_VOICES: Final = {"en": "en-gb", "zh": "cmn", "no": "nb"}
"""Where espeak-ng's name of a language is not Whisper's."""
_HEADER: Final = 44
"""Bytes of the header of its WAV output, which has one form."""
_RATE_AT: Final = 24


def is_installed() -> bool:
    """Whether there is an espeak-ng."""
    return shutil.which(PROGRAM) is not None


def make(config: AnswersConfig) -> EspeakVoice:
    """The voice.

    Raises:
        ConfigurationError: espeak-ng is not installed.
    """
    if not is_installed():
        raise ConfigurationError(
            "espeak-ng, which answers.voice asks for, is not installed: run `apt-get install espeak-ng`, or "
            "set answers.voice to none"
        )
    return EspeakVoice(config.speed)


class EspeakVoice:
    """Starts espeak-ng for each sentence; see :class:`rtap.answers.voice.engine.Voice`.

    Args:
        speed: percent of the usual one.
    """

    def __init__(self, speed: int = 100) -> None:
        self._words_per_minute = round(_WORDS_PER_MINUTE * speed / 100)

    def say(self, text: str, language: str, stop: threading.Event) -> Generator[Speech, None, None]:
        """See :meth:`rtap.answers.voice.engine.Voice.say`."""
        voice = _VOICES.get(language, language)
        speed = str(self._words_per_minute)
        program = Program((PROGRAM, "-v", voice, "-s", speed, "-b", "1", "--stdin", "--stdout"))
        with contextlib.closing(program.sound(text, stop)) as blocks:
            yield from _of_wav(blocks)

    def close(self) -> None:
        """Nothing runs between sentences."""


def _of_wav(blocks: Iterator[bytes]) -> Iterator[Speech]:
    """The sound of a WAV file that comes in blocks, whose header does not know its length."""
    header = b""
    for block in blocks:
        header += block
        if len(header) >= _HEADER:
            break
    if not header:
        return  # it was stopped, or there was nothing to say
    if len(header) < _HEADER or header[:4] != b"RIFF":
        raise SpeakerError(
            "espeak-ng gave no sound: try it in a terminal, or set answers.voice to none"
        )
    rate = int.from_bytes(header[_RATE_AT : _RATE_AT + 4], "little")

    def sound() -> Iterator[bytes]:
        yield header[_HEADER:]
        yield from blocks

    yield from pieces(sound(), rate)
