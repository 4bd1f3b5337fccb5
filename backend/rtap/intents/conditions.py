"""What sentences require of the turn before: ``requires_context`` and ``excludes_context``, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from rtap.intents.context import BORROWERS, NUMBER, PREVIOUS, QUESTION
from rtap.intents.faults import advice
from rtap.intents.grammar import Template
from rtap.intents.question import Kind
from rtap.intents.sources import Block
from rtap.intents.yaml_file import Node

_KEYS: Final = ("requires_context", "excludes_context")


def check(block: Block, intents: Collection[str], faults: list[str]) -> None:
    """Note every intent and every kind of question that there is not: the sentences would never be matched.

    Other keys are slots, which intents of another vehicle or house may have.

    Raises:
        Fault: a condition is no mapping.
    """
    known = {PREVIOUS: intents, QUESTION: tuple(Kind)}
    block_keys = block.node.mapping(f"data of {block.intent}")
    for key in _KEYS:
        if key not in block_keys:
            continue
        for name, node in block_keys[key].mapping(key).items():
            faults += [
                f"{value.place}: {key} of {block.intent} has the unknown {name} {value.value}: "
                f"{advice(str(value.value), known[name])}"
                for value in (_values(node) if name in known else ())
                if value.value not in known[name]
            ]


def _values(node: Node) -> Iterator[Node]:
    """The values that a condition allows; none where any will do."""
    if isinstance(node.value, dict):
        if "value" in node.value:
            yield from _values(node.value["value"])
    elif isinstance(node.value, tuple):
        yield from node.value
    elif node.value is not None:
        yield node


def check_slots(templates: Mapping[str, Sequence[Template]], faults: list[str]) -> None:
    """Note every slot of LIKEWISE and CHOOSE that no other intent has: they only fill the slots of others."""
    others = {NUMBER} | {
        slot
        for intent, there in templates.items()
        if intent not in BORROWERS
        for template in there
        for slot in template.slots
    }
    faults += [
        f"{template.place}: no intent has the slot {slot}, so that {intent} cannot fill it: "
        f"{advice(slot, sorted(others))}"
        for intent in BORROWERS
        for template in templates.get(intent, ())
        for slot in template.slots
        if slot not in others
    ]


def copied(requires_context: Mapping[str, Any] | None) -> Iterator[str]:
    """Slots that are filled with what the turn before had in them: ``zone: { slot: true }``."""
    for name, condition in (requires_context or {}).items():
        slot = condition.get("slot") if isinstance(condition, dict) else None
        if slot:
            yield slot if isinstance(slot, str) else name
