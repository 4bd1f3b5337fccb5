"""Piper's voices: a network for each language, run by the program ``piper`` of the package piper-tts.

The program takes seconds to load a voice, so that one is kept waiting for the next sentence.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtap.answers.voice import espeak
from rtap.answers.voice.engine import Speech, Voice, pieces
from rtap.answers.voice.program import Program
from rtap.errors import ConfigurationError
from rtap.home import expanded

if TYPE_CHECKING:
    from rtap.config import AnswersConfig

_PROGRAM: Final = "piper"
_SETTINGS: Final = ".json"
"""What is behind the name of a voice in that of the file that describes it."""


@dataclass(frozen=True, slots=True)
class PiperFile:
    """One voice on disk."""

    path: Path
    language: str
    """Code of two letters."""
    rate: int
    """Samples per second."""


def make(config: AnswersConfig) -> PiperVoice:
    """The voices of a configuration.

    Raises:
        ConfigurationError: there is no program, or no voice, or one that cannot be read.
    """
    if not config.piper_voices:
        raise ConfigurationError(
            "answers.voice is piper, and there is no voice: set answers.piper_voices to files such as "
            "[/var/lib/rtap/de_DE-thorsten-medium.onnx]"
        )
    voices = [read_voice(expanded(Path(name))) for name in config.piper_voices]
    by_language: dict[str, PiperFile] = {}
    for voice in voices:
        if voice.language in by_language:
            raise ConfigurationError(
                f"answers.piper_voices has two voices for {voice.language}, "
                f"{by_language[voice.language].path} and {voice.path}: name one"
            )
        by_language[voice.language] = voice
    others = espeak.EspeakVoice(config.speed) if espeak.is_installed() else None
    return PiperVoice(find_program(), by_language, config.speed, others)


def find_program() -> tuple[str, ...]:
    """The command of Piper.

    Raises:
        ConfigurationError: it is not installed.
    """
    if shutil.which(_PROGRAM):
        return (_PROGRAM,)
    if find_spec("piper") is not None:
        return (sys.executable, "-m", "piper")
    raise ConfigurationError(
        "piper, which answers.voice asks for, is not installed: run `pip install piper-tts`, or set "
        "answers.voice to espeak-ng"
    )


def read_voice(path: Path) -> PiperFile:
    """What a voice's own description says of it.

    Raises:
        ConfigurationError: a file is missing, or is no description of a voice.
    """
    settings = path.with_name(path.name + _SETTINGS)
    for file in (path, settings):
        if not file.is_file():
            raise ConfigurationError(
                f"{file} of answers.piper_voices is not there: a voice of Piper is two files, NAME.onnx and "
                "NAME.onnx.json"
            )
    try:
        known = json.loads(settings.read_bytes())
        language = known.get("language", {}).get("family") or known["espeak"]["voice"]
        rate = known["audio"]["sample_rate"]
        if not isinstance(language, str) or type(rate) is not int or rate <= 0:
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"{settings} does not describe a voice of Piper: download it again"
        ) from error
    return PiperFile(path, language.partition("-")[0].partition("_")[0], rate)


class PiperVoice:
    """Speaks with Piper; see :class:`rtap.answers.voice.engine.Voice`.

    Args:
        program: the command that starts Piper.
        voices: by language.
        speed: percent of the voice's own.
        others: what speaks languages that have no voice; None: they are not spoken.
    """

    def __init__(
        self,
        program: Sequence[str],
        voices: Mapping[str, PiperFile],
        speed: int = 100,
        others: Voice | None = None,
    ) -> None:
        self._program = tuple(program)
        self._voices = voices
        self._length_scale = f"{100 / speed:.3f}"
        self._others = others
        self._waiting: dict[str, Program] = {}
        self._is_closed = False
        # Of starting programs and of closing; never held while one speaks.
        self._lock = threading.Lock()

    def say(self, text: str, language: str, stop: threading.Event) -> Generator[Speech, None, None]:
        """See :meth:`rtap.answers.voice.engine.Voice.say`."""
        voice = self._voices.get(language)
        if voice is None:
            if self._others is not None:
                yield from self._others.say(text, language, stop)
            return
        program = self._take(voice)
        try:
            with contextlib.closing(program.sound(text, stop)) as blocks:
                yield from pieces(blocks, voice.rate)
        finally:
            self._keep_one(voice)

    def close(self) -> None:
        """See :meth:`rtap.answers.voice.engine.Voice.close`."""
        with self._lock:
            self._is_closed = True
            for program in self._waiting.values():
                program.end()
            self._waiting.clear()

    def _take(self, voice: PiperFile) -> Program:
        with self._lock:
            program = self._waiting.pop(voice.language, None)
        if program is not None and not program.is_running:
            program.end()
            program = None
        return program or self._start(voice)

    def _keep_one(self, voice: PiperFile) -> None:
        """Have a program load the voice for the next sentence in this language."""
        with self._lock:
            if not self._is_closed and voice.language not in self._waiting:
                self._waiting[voice.language] = self._start(voice)

    def _start(self, voice: PiperFile) -> Program:
        return Program(
            (*self._program, "--model", str(voice.path), "--output-raw", "--length-scale", self._length_scale)
        )  # fmt: skip
