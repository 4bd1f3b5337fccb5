"""What was understood: frozen values, without a clock and without the grammar that they came from."""

from __future__ import annotations

from dataclasses import dataclass

Value = str | int | float | bool
"""What a slot can hold."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One particular of a command, such as the temperature."""

    name: str
    value: Value
    unit: str | None
    """As COVESA VSS names units, such as celsius or percent; None where the value has none."""
    text: str
    """The words that said it; empty where the sentence implies it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A command or question that the grammar knows."""

    name: str
    slots: tuple[Slot, ...]
    """In the order of their names, each name once."""
    confidence: float
    """Of hearing: the transcript's, 0 to 1, which knows of commands that sound alike; 1 for text that was
    typed."""
    matching: float
    """Of matching, 0 to 1: the share of the sentence that the grammar knows word for word, divided by the
    number of readings that fit equally well."""

    def value(self, name: str) -> Value | None:
        """A slot's value, or None where there is no such slot."""
        return next((slot.value for slot in self.slots if slot.name == name), None)


@dataclass(frozen=True, slots=True)
class Understanding:
    """What became of one text."""

    text: str
    language: str
    intent: Intent | None
    """None: nothing may be done."""
    alternatives: tuple[Intent, ...] = ()
    """Other readings, the likeliest first. Without an intent: readings that are equally likely."""
    did_you_mean: str | None = None
    """Without an intent: the sentence of the grammar that is nearest, for a question to the speaker."""
