"""What was said before, as far as it decides what a text means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rtap.intents.grammar import Grammar, Template
from rtap.intents.intent import Intent, Slot, Value
from rtap.intents.question import Kind, Question

LIKEWISE: Final = "Likewise"
"""The intent of sentences that say the last one again, with other slots: "and the left one too"."""
CHOOSE: Final = "Choose"
"""The intent of sentences that say which one of several: "the second"."""
BORROWERS: Final = (LIKEWISE, CHOOSE)
"""Intents that have no slots of their own: they fill those of others."""
NUMBER: Final = "number"
"""The slot of CHOOSE that counts the options from 1, or with -1 from the last."""
PREVIOUS: Final = "previous"
"""The context that is the name of the last intent, while no question is open."""
QUESTION: Final = "question"
"""The context that is the kind of the open question."""

Meaning = tuple[str, tuple[Slot, ...]]
"""An intent's name and its slots, in the order of their names."""


@dataclass(frozen=True, slots=True)
class Context:
    """The turn before: the intent that was carried out, or the question that was put."""

    previous: Intent | None = None
    question: Question | None = None

    def plain(self) -> dict[str, Value]:
        """By the keys of ``requires_context``: the slots of the last intent by their names, and PREVIOUS; or
        QUESTION.
        """
        if self.question is not None:
            return {QUESTION: self.question.kind.value}
        if self.previous is not None:
            slots: dict[str, Value] = {slot.name: slot.value for slot in self.previous.slots}
            return slots | {PREVIOUS: self.previous.name}
        return {}

    def meanings(
        self, name: str, slots: tuple[Slot, ...], grammar: Grammar, *, continues: bool
    ) -> Iterator[Meaning]:
        """What a sentence of the intent ``name`` means after this turn: nothing, one thing or several.

        Args:
            continues: the sentence requires a previous intent, so that it keeps the slots of that one which
                its own intent has too.
        """
        if name == CHOOSE:
            for option in self._chosen(slots):
                yield option.name, option.slots
            return
        about = self._about if name == LIKEWISE else self.previous if continues else None
        if about is not None:
            merged = _merged(about, about.name if name == LIKEWISE else name, slots, grammar)
            if merged is not None:
                yield merged
        elif name != LIKEWISE:
            yield name, slots

    @property
    def _about(self) -> Intent | None:
        """The intent that LIKEWISE says again; an answer to a question may put it right: "No, 22 degrees"."""
        if self.question is None:
            return self.previous
        return None if self.question.kind is Kind.WHICH else self.question.options[0]

    def _chosen(self, slots: tuple[Slot, ...]) -> Iterator[Intent]:
        if self.question is None or not slots:
            return
        options = self.question.options
        for index, option in enumerate(options):
            if all(
                slot.value in (index + 1, index - len(options))
                if slot.name == NUMBER
                else option.value(slot.name) == slot.value
                for slot in slots
            ):
                yield option


NOTHING_BEFORE: Final = Context()


def is_possible(requires_context: Mapping[str, object] | None, plain: Mapping[str, Value]) -> bool:
    """Whether sentences with this condition can match at all after a turn.

    Other keys than PREVIOUS and QUESTION may still come from lists while a text is matched.

    Args:
        plain: of :meth:`Context.plain`; empty where nothing was said before.
    """
    return not any(
        key in (requires_context or ()) and key not in plain for key in (PREVIOUS, QUESTION)
    )


def _merged(about: Intent, name: str, said: tuple[Slot, ...], grammar: Grammar) -> Meaning | None:
    """The intent ``name`` with the slots that are said now and those of the intent before.

    Kept are those that a sentence of it has together with the new ones: after "seat heating on", "and level
    2" has no ``state``. None where no sentence of it has the new ones, in these units.
    """
    declared = grammar.intents.get(name)
    new = {slot.name: slot for slot in said}
    old = {slot.name: slot for slot in about.slots if slot.name not in new}
    fitting = [
        [slot for slot in old if slot in template.slots]
        for template in (declared.templates if declared else ())
        if _has(template, name, new, grammar)
    ]
    if not fitting:
        return None
    slots = new | {slot: old[slot] for slot in max(fitting, key=len)}
    return name, tuple(slots[slot] for slot in sorted(slots))


def _has(template: Template, intent: str, slots: Mapping[str, Slot], grammar: Grammar) -> bool:
    """Whether a sentence of an intent has all these slots, each with its unit."""
    return slots.keys() <= set(template.slots) and all(
        (grammar.units.get((intent, template.text, name)) or None) == slot.unit
        for name, slot in slots.items()
    )
