"""Finds the intent of a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Final

from hassil import RecognizeResult, recognize_all

from rtap.intents.grammar import Grammar
from rtap.intents.intent import Intent, Slot, Understanding, Value
from rtap.intents.nearest import Nearest

LEAST_MATCHING: Final = 0.6
"""A reading below it is not acted on: half its sentence is a wildcard's, or two readings fit equally well."""
LONGEST_TEXT: Final = 200
"""Characters. Longer speech is no command, and would take time to be compared."""
_MOST_ALTERNATIVES: Final = 4


class Matcher:
    """Understands texts of one language.

    A text is brought into the spelling of templates and has to match one in full. Of several readings the
    most specific counts: the one that leaves the fewest characters to wildcards, then the one with the most
    characters in words of the template itself rather than of lists, then the one with the most slots.
    Readings that are equal in all three share what is called ``matching``, so that neither is acted on.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar

    @cached_property
    def _nearest(self) -> Nearest:
        return Nearest(self.grammar)

    def prepare(self) -> None:
        """Make what the first text that is no command would wait for: it takes as long as a hundred texts."""
        next(self._nearest.sentences(""), None)

    def understand(self, text: str, confidence: float = 1.0) -> Understanding:
        """The intent of a text, or what it may have meant.

        Args:
            text: as Whisper writes it, or as typed.
            confidence: of hearing, 0 to 1.
        """
        nothing = Understanding(text, self.grammar.language, None)
        plain = self.grammar.spelling.plain(text)
        if not plain or len(plain) > LONGEST_TEXT:
            return nothing
        readings = self._readings(plain, confidence)
        if readings and readings[0].matching >= LEAST_MATCHING:
            return replace(nothing, intent=readings[0], alternatives=readings[1:])
        if readings:
            return replace(nothing, alternatives=readings)
        return replace(nothing, did_you_mean=self._suggestion(plain))

    def _suggestion(self, plain: str) -> str | None:
        """The nearest sentence that would itself be understood."""
        for sentence in self._nearest.sentences(plain):
            readings = self._readings(sentence, 1)
            if readings and readings[0].matching >= LEAST_MATCHING:
                return sentence
        return None

    def _readings(self, plain: str, confidence: float) -> tuple[Intent, ...]:
        """What a text can be, the most specific first."""
        best: dict[tuple[str, tuple[Slot, ...]], tuple[int, int, int]] = {}
        for result in recognize_all(plain, self.grammar.sentences):
            meaning = (result.intent.name, tuple(self._slots(result)))
            rank = _rank(result)
            best[meaning] = min(rank, best.get(meaning, rank))
        ranked = sorted(best.items(), key=lambda item: (item[1], item[0][0]))
        return tuple(
            Intent(
                name,
                slots,
                confidence,
                _matching(rank, plain) / sum(other == rank for other in best.values()),
            )
            for (name, slots), rank in ranked[: _MOST_ALTERNATIVES + 1]
        )

    def _slots(self, result: RecognizeResult) -> Iterator[Slot]:
        sentence = result.intent_sentence
        template = (sentence.text or "") if sentence is not None else ""
        for name, entity in sorted(result.entities.items()):
            unit = self.grammar.units.get((result.intent.name, template, name)) or None
            yield Slot(name, _value(entity.value), unit, entity.text_clean)


def _rank(result: RecognizeResult) -> tuple[int, int, int]:
    """Lower is more specific."""
    wild = sum(len(entity.text.strip()) for entity in result.entities_list if entity.is_wildcard)
    return wild, -result.text_chunks_matched, -len(result.entities)


def _matching(rank: tuple[int, int, int], plain: str) -> float:
    return 1 - min(rank[0] / len(plain), 1)


def _value(value: object) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | int | float | bool) else str(value)
