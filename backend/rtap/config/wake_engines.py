"""The engines that recognize wake words: what is known of each without loading it.

An engine is one entry here and one module, which has ``make(config: WakeWordConfig) -> WakeWord``. The entry
is all that the configuration, ``rtap doctor`` and Wyoming need to know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class WakeEngine:
    """One engine."""

    name: str
    """As ``wakeword.engine`` names it."""
    title: str
    """What Wyoming's clients show."""
    module: str
    """Where its ``make`` is."""
    package: str
    """The Python package that it needs, by the name that it is imported by."""
    is_bundled: bool
    """Whether the package comes with this project; otherwise it is installed by those who want it."""
    author: str
    url: str
    words: tuple[str, ...] = ()
    """The keywords that it always has; empty: clients may ask only for the configured one."""
    needs_key: bool = False
    """Whether it needs ``wakeword.access_key``, which the author hands out."""


DEFAULT: Final = WakeEngine(
    name="microwakeword",
    title="microWakeWord",
    module="rtap.stages.wakeword.microwakeword",
    package="pymicro_wakeword",
    is_bundled=True,
    author="Kevin Ahrendt",
    url="https://github.com/kahrendt/microWakeWord",
    words=("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu"),
)
"""The one that clients use where the microphone waits for no wake word."""
_PORCUPINE: Final = WakeEngine(
    name="porcupine",
    title="porcupine",
    module="rtap.stages.wakeword.porcupine",
    package="pvporcupine",
    is_bundled=False,
    author="Picovoice",
    url="https://picovoice.ai",
    needs_key=True,
)

ENGINES: Final[Mapping[str, WakeEngine]] = MappingProxyType(
    {engine.name: engine for engine in (DEFAULT, _PORCUPINE)}
)
"""All of them, by name."""


def spoken_word(keyword: str) -> str:
    """As people say and read it: "Hey Mycroft" for "hey_mycroft" and for "/data/hey-mycroft_en_linux_v3.ppn".

    Porcupine's files have language, platform and version behind the words.
    """
    path = PurePath(keyword)
    words = path.stem.split("_")[0] if path.suffix == ".ppn" else keyword
    return " ".join(word.capitalize() for word in normal_word(words).split("_"))


def normal_word(keyword: str) -> str:
    """One spelling for "Hey Mycroft", "hey-mycroft" and "hey_mycroft"."""
    return keyword.strip().lower().replace(" ", "_").replace("-", "_")
