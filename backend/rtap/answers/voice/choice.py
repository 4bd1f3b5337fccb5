"""Which voice a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtap.answers.voice import espeak, piper

if TYPE_CHECKING:
    from rtap.answers.voice.engine import Voice
    from rtap.config import AnswersConfig


def make_voice(config: AnswersConfig) -> Voice | None:
    """The configured voice; None where answers are not spoken.

    Raises:
        ConfigurationError: what it needs is not installed, or a voice's files are not there.
    """
    if config.voice == "piper" or (config.voice == "auto" and config.piper_voices):
        return piper.make(config)
    if config.voice == "espeak-ng":
        return espeak.make(config)
    if config.voice == "auto" and espeak.is_installed():
        return espeak.make(config)
    return None
