"""Finds the intent of a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Final, NamedTuple

from hassil import Intents, RecognizeResult, recognize_all
from hassil.intents import Intent as HassilIntent

from rtap.intents.context import NOTHING_BEFORE, PREVIOUS, QUESTION, Context, Meaning, is_possible
from rtap.intents.grammar import Grammar
from rtap.intents.intent import Intent, Slot, Understanding, Value
from rtap.intents.name_list import PART
from rtap.intents.nearest import Nearest

LEAST_MATCHING: Final = 0.6
"""A reading below it is not acted on: half its sentence is a wildcard's, or two readings fit equally well."""
LONGEST_TEXT: Final = 200
"""Characters. Longer speech is no command, and would take time to be compared."""
MOST_OPTIONS: Final = 20
"""Readings that fit equally well, of which one can be chosen: nobody would hear out more of them."""
MOST_REMEMBERED: Final = 64
"""Texts whose readings are kept: whoever hears a command asks what it means, and then whoever does it."""
_MOST_ALTERNATIVES: Final = 4


class _Rank(NamedTuple):
    """How specific a reading is: the lower, the more."""

    no_answer: bool
    """It does not answer the question of the turn before."""
    wild: int
    """Characters that wildcards took."""
    own_words: int
    """Less the characters in words of the template itself."""
    parts_of_names: int
    slots: int
    """Less the number of slots."""
    alone: bool
    """It does not continue the turn before."""


class _Reading(NamedTuple):
    meaning: Meaning
    rank: _Rank
    matching: float


class Matcher:
    """Understands texts of one language.

    A text is brought into the spelling of templates and has to match one in full. Of several readings the
    most specific counts: the one that leaves the fewest characters to wildcards, then the one with the most
    characters in words of the template itself rather than of lists, then the one with the most slots.
    A name in full counts more than a part of one, what continues the turn before more than what does not, and
    what answers its question more than anything else.
    Readings that are equal in all of this share what is called ``matching``, so that none is acted on.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._alone_again = lru_cache(MOST_REMEMBERED)(partial(self._read, context=NOTHING_BEFORE))

    @cached_property
    def _alone(self) -> Intents:
        """What is understood without a turn before."""
        return self._sentences({})

    def _sentences(self, before: Mapping[str, Value]) -> Intents:
        """The sentences that can match after a turn: hassil would try the others too."""
        intents = {
            name: HassilIntent(
                name, [data for data in intent.data if is_possible(data.requires_context, before)]
            )
            for name, intent in self.grammar.sentences.intents.items()
        }
        return replace(self.grammar.sentences, intents=intents)

    @cached_property
    def _nearest(self) -> Nearest:
        return Nearest(self.grammar)

    def prepare(self) -> None:
        """Make what the first text that is no command would wait for: it takes as long as a hundred texts."""
        next(self._nearest.sentences(""), None)

    def understand(
        self, text: str, confidence: float = 1.0, context: Context = NOTHING_BEFORE
    ) -> Understanding:
        """The intent of a text, or what it may have meant.

        Args:
            text: as Whisper writes it, or as typed.
            confidence: of hearing, 0 to 1.
            context: the turn before, which the text may continue.
        """
        nothing = Understanding(text, self.grammar.language, None)
        plain = self.grammar.spelling.plain(text)
        if not plain or len(plain) > LONGEST_TEXT:
            return nothing
        readings = self._readings(plain, context)
        intents = tuple(_intent(reading, confidence) for reading in readings)
        if not readings:
            return replace(nothing, did_you_mean=self._suggestion(plain))
        if intents[0].matching >= LEAST_MATCHING:
            return replace(
                nothing, intent=intents[0], alternatives=intents[1 : _MOST_ALTERNATIVES + 1]
            )
        likeliest = sum(reading.rank == readings[0].rank for reading in readings)
        return replace(nothing, alternatives=intents[: min(likeliest, MOST_OPTIONS)])

    def meaning(self, text: str) -> Hashable | None:
        """The intent and the values of the slots that :meth:`understand` finds where nothing was said before.

        It costs less, and is None where no intent is found.
        """
        plain = self.grammar.spelling.plain(text)
        if not plain or len(plain) > LONGEST_TEXT:
            return None
        readings = self._readings(plain, NOTHING_BEFORE)
        if not readings or readings[0].matching < LEAST_MATCHING:
            return None
        name, slots = readings[0].meaning
        return name, tuple((slot.name, slot.value, slot.unit) for slot in slots)

    def _suggestion(self, plain: str) -> str | None:
        """The nearest sentence that would itself be understood."""
        for sentence in self._nearest.sentences(plain):
            readings = self._readings(sentence, NOTHING_BEFORE)
            if readings and readings[0].matching >= LEAST_MATCHING:
                return sentence
        return None

    def _readings(self, plain: str, context: Context) -> list[_Reading]:
        """What a text can be, the most specific first."""
        return self._alone_again(plain) if context == NOTHING_BEFORE else self._read(plain, context)

    def _read(self, plain: str, context: Context) -> list[_Reading]:
        best: dict[object, tuple[_Rank, Meaning]] = {}
        before = context.plain()
        sentences = self._sentences(before) if before else self._alone
        for result in recognize_all(plain, sentences, intent_context=before):
            rank = _rank(result)
            said = tuple(self._slots(result))
            continues = PREVIOUS in (result.intent_data.requires_context or ())
            for name, slots in context.meanings(
                result.intent.name, said, self.grammar, continues=continues
            ):
                # The same values in other words are the same meaning.
                same = name, tuple((slot.name, slot.value, slot.unit) for slot in slots)
                if same not in best or rank < best[same][0]:
                    best[same] = rank, (name, slots)
        equal = Counter(rank for rank, _ in best.values())
        ranked = sorted(best.values(), key=lambda item: (item[0], item[1][0]))
        return [
            _Reading(meaning, rank, _matching(rank, plain) / equal[rank])
            for rank, meaning in ranked
        ]

    def _slots(self, result: RecognizeResult) -> Iterator[Slot]:
        sentence = result.intent_sentence
        template = (sentence.text or "") if sentence is not None else ""
        for name, entity in sorted(result.entities.items()):
            unit = self.grammar.units.get((result.intent.name, template, name)) or None
            yield Slot(name, _value(entity.value), unit, entity.text_clean)


def _intent(reading: _Reading, confidence: float) -> Intent:
    name, slots = reading.meaning
    return Intent(name, slots, confidence, reading.matching)


def _rank(result: RecognizeResult) -> _Rank:
    entities = result.entities_list
    requires = result.intent_data.requires_context or ()
    return _Rank(
        no_answer=QUESTION not in requires,
        wild=sum(len(entity.text.strip()) for entity in entities if entity.is_wildcard),
        own_words=-result.text_chunks_matched,
        parts_of_names=sum(entity.metadata == PART for entity in entities),
        slots=-len(result.entities),
        alone=PREVIOUS not in requires,
    )


def _matching(rank: _Rank, plain: str) -> float:
    return 1 - min(rank.wild / len(plain), 1)


def _value(value: object) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | int | float | bool) else str(value)
