"""Voices that were never trained with, neither the words of a model nor its wake word.

Licences: Piper GPL-3+ (its output is not covered), its voice joe CC0; SVOX Pico Apache-2.0; festival's ked
BSD-like; RHVoice LGPL-2.1+, its voices bdl and clb BSD-like (Carnegie Mellon), alan without terms in its
sources; espeak-ng GPL-3+ (its output is not covered), which speaks English training data in other variants,
and no German.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rtap.errors import ConfigurationError
from tools.model.cabin.voices import Role, Voice


def _voice(synthesiser: str, name: str, pitch: tuple[int, int] | None = None) -> Voice:
    return Voice(synthesiser, name, Role.NEVER_USED, 1.0, pitch)


VOICES: Final[Mapping[str, Sequence[Voice]]] = {
    "en": (
        _voice("piper", "en_US-joe-medium"),
        _voice("pico", "en-US"),
        _voice("pico", "en-GB"),
        _voice("festival", "ked_diphone", (80, 130)),
        _voice("rhvoice", "Alan"),
        _voice("rhvoice", "Bdl"),
        _voice("rhvoice", "Clb"),
    ),
    "de": (
        _voice("pico", "de-DE"),
        _voice("espeak-ng", "de+anika"),
        _voice("espeak-ng", "de+david"),
    ),
}
"""By language."""


def choose(languages: Sequence[str], names: Sequence[str]) -> dict[str, list[Voice]]:
    """The voices of languages.

    Args:
        languages: codes; empty: all that have voices.
        names: as :attr:`tools.model.cabin.voices.Voice.speaker` has them; empty: all voices.

    Raises:
        ConfigurationError: there is no such language or voice.
    """
    for language in languages:
        if language not in VOICES:
            raise ConfigurationError(f"no voice speaks {language}: choose from {', '.join(VOICES)}")
    wanted = languages or list(VOICES)
    speakers = {one.speaker for language in wanted for one in VOICES[language]}
    if unknown := sorted(set(names) - speakers):
        raise ConfigurationError(
            f"there is no voice {unknown[0]}: choose from {', '.join(sorted(speakers))}"
        )
    found = {
        language: [one for one in VOICES[language] if not names or one.speaker in names]
        for language in wanted
    }
    return {language: voices for language, voices in found.items() if voices}
