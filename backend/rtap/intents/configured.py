"""Which grammars a configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtap.config import Config, IntentsConfig
from rtap.home import expanded
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED, languages
from rtap.languages import language_code

if TYPE_CHECKING:
    from rtap.intents.grammar import Grammar

_FALLBACK: Final = "en"
"""The language of a text where neither whoever asks nor the configuration says one."""


def language_of(config: Config, wanted: str | None = None) -> str:
    """The code of the language to understand: what is wanted, or else what is spoken.

    Raises:
        ConfigurationError: nobody knows this language.
    """
    spoken = config.stt.language
    return language_code(wanted or (_FALLBACK if spoken == "auto" else spoken))


def spoken_languages(config: Config) -> tuple[str, ...]:
    """The languages that have commands and may be heard, in the alphabet's order."""
    intents, stt = config.intents, config.stt
    if not intents.enabled:
        return ()
    heard = stt.languages if stt.language == "auto" else (stt.language,)
    return tuple(
        language
        for language in languages(folders(intents))
        if (not intents.languages or language in intents.languages)
        and (not heard or language in heard)
    )


def folders(config: IntentsConfig) -> tuple[Path, ...]:
    """This project's folder, then those of the configuration."""
    return (BUNDLED, *(expanded(Path(folder)) for folder in config.folders))


def grammar(config: IntentsConfig, language: str, more: Sequence[Path] = ()) -> Grammar:
    """The grammar of a language, with its contacts and places.

    Args:
        more: folders beyond those of the configuration.

    Raises:
        ConfigurationError: see :func:`rtap.intents.loader.load_grammar`.
    """
    # hassil takes half a second, and is not wanted before the first text.
    from rtap.intents.loader import load_grammar

    names = NameFiles(config.contacts, config.places)
    return load_grammar(language, (*folders(config), *more), names)
