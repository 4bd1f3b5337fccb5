"""The expected sentences in the tokens of one model, for all who decode with it."""

from __future__ import annotations

from typing import Final

from rtap.whisper.model import SpeechModel
from rtap.whisper.preference.choice import Expected
from rtap.whisper.preference.sentences import Preference, Sentences

MOST_LANGUAGES: Final = 8
"""Sentences that are kept; those of a grammar that was replaced are forgotten with the others."""


class Expectations:
    """Made once for a model. Not for several threads at once, as the model is not."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self._made: dict[Sentences, Expected] = {}

    def of(self, preference: Preference, language: str) -> Expected | None:
        """Those of a language; None where none are expected."""
        sentences = preference.sentences(language)
        if sentences is None:
            return None
        if sentences not in self._made:
            if len(self._made) >= MOST_LANGUAGES:
                self._made.clear()
            self._made[sentences] = Expected(sentences, self._model)
        return self._made[sentences]
