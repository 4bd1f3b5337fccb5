"""What a wake word engine is, how the configured one is made, and what engines share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from rtap.audio.format import SAMPLE_RATE
from rtap.config.wake_engines import ENGINES
from rtap.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtap.audio.format import Samples
    from rtap.config import WakeWordConfig

REFRACTORY_SECONDS: Final = 2.0
"""After a detection nothing is detected for so long: one call wakes once."""


class WakeWord(Protocol):
    """Listens to one stream of audio for one keyword."""

    def detect(self, samples: Samples) -> str | None:
        """The keyword's name when it was completed in these samples; any number, shape (samples,)."""

    def reset(self) -> None:
        """Forget the stream, before another one."""


class _EngineModule(Protocol):
    """What the module of an engine has."""

    def make(self, config: WakeWordConfig) -> WakeWord:
        """The engine, loaded."""


def make_wake_word(config: WakeWordConfig) -> WakeWord | None:
    """The configured engine, loaded; None when no wake word is wanted.

    Raises:
        ConfigurationError: the engine cannot be had as configured.
    """
    if not config.enabled:
        return None
    module = cast("_EngineModule", import_module(ENGINES[config.engine].module))
    return module.make(config)


class Once:
    """Makes one detection of a keyword that is recognized in many frames in a row."""

    def __init__(self) -> None:
        self._wait = 0
        """Samples until something can be detected again."""
        self._is_armed = True

    def is_first(self, samples: int, *, is_heard: bool) -> bool:
        """Whether a frame of so many samples is a detection, given whether the keyword is in it."""
        self._wait = max(0, self._wait - samples)
        if not is_heard:
            self._is_armed |= self._wait == 0
            return False
        if not self._is_armed:
            return False
        self._is_armed = False
        self._wait = int(REFRACTORY_SECONDS * SAMPLE_RATE)
        return True


def check_sensitivity(sensitivity: float) -> None:
    """Raises: ConfigurationError: it is out of range."""
    if not 0.0 <= sensitivity <= 1.0:
        raise ConfigurationError(f"wakeword.sensitivity is {sensitivity}: set it to 0 to 1")


def unknown_keyword(engine: str, keyword: str, known: Iterable[str]) -> ConfigurationError:
    """The error for a keyword that an engine does not have."""
    return ConfigurationError(
        f"{engine} does not know the keyword {keyword!r}: set wakeword.keyword to one of "
        f"{', '.join(known)}"
    )
