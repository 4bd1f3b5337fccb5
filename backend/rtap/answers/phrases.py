"""Everything that is said in one language: frozen values, as they were read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from rtap.answers.template import Template
from rtap.vehicle.result import Cause


class Situation(StrEnum):
    """What there is a sentence for, beside the causes of a refusal."""

    DONE = "done"
    TIMED_OUT = "timed_out"
    UNDERSTOOD = "understood"
    """And nothing was to be done yet."""
    NOT_UNDERSTOOD = "not_understood"
    DID_YOU_MEAN = "did_you_mean"
    WHICH = "which"


OUTCOMES: Final = (Situation.DONE, Situation.TIMED_OUT, Situation.UNDERSTOOD, *Cause)
"""What an intent can have sentences of its own for."""
ALL: Final = (*Situation, *Cause)
"""What every language has a sentence for."""
EXTRA: Final = {Situation.DID_YOU_MEAN: "sentence", Situation.WHICH: "choices"}
"""The fact that the sentence of a situation can have."""


@dataclass(frozen=True, slots=True)
class UnitWords:
    """How a number with a unit is said."""

    forms: Mapping[str, Template]
    """By the number as it is shown, such as ``1``; ``other`` for all others. The hole is ``number``."""
    digits: int
    """After the decimal sign, at most."""
    shown_as: str | None
    """Another unit, which it is converted to first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence, and when it fits."""

    when: Mapping[str, str | None]
    """Facts with the text of their value; None: any."""
    say: Template
    each: Template | None
    """What ``{each}`` lists for every value that holds."""
    place: str
    """FILE:LINE."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """All sentences and words of a language."""

    language: str
    decimal: str
    minus: str
    last_and: str
    last_or: str
    """What stands before the last item of a list."""
    units: Mapping[str, UnitWords]
    words: Mapping[str, Mapping[str, str]]
    places: tuple[tuple[str, str], ...]
    """Patterns of signals' paths, and what is there."""
    intents: Mapping[str, Mapping[str, tuple[Case, ...]]]
    """By intent and outcome; the first case that fits is said."""
    otherwise: Mapping[str, Template]
    """By outcome; for those without a sentence of their own."""

    @property
    def sentence_count(self) -> int:
        """Sentences of all intents and outcomes."""
        cases = (one for outcomes in self.intents.values() for one in outcomes.values())
        return sum(map(len, cases)) + len(self.otherwise)

    def place(self, path: str) -> str | None:
        """What speakers call the place of a signal."""
        return next((text for pattern, text in self.places if fnmatchcase(path, pattern)), None)

    def listed(self, items: tuple[str, ...], last: str) -> str:
        """Items with commas, and something else before the last."""
        return last.join(filter(None, (", ".join(items[:-1]), items[-1])))
