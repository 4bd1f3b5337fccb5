"""Faults of grammars and of tables of signals, collected so that all of them are named at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rtap.intents.yaml_file import Fault, Node

_MOST_LISTED: Final = 20
"""Names that a message lists; of more it says the nearest only."""


@contextmanager
def noted(faults: list[str]) -> Iterator[None]:
    """Add the fault that ends the block to the others, and go on after it."""
    try:
        yield
    except Fault as fault:
        faults.append(str(fault))


def check_keys(
    entry: Mapping[str, Node], known: Collection[str], where: str, faults: list[str]
) -> None:
    """Note every key that nobody reads."""
    for key, node in entry.items():
        if key not in known:
            faults.append(f"{node.place}: {where} has the unknown key {key}: {advice(key, known)}")


def advice(name: str, known: Collection[str]) -> str:
    """What to write in place of a name that nobody knows."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(known)}" if len(known) <= _MOST_LISTED else "correct it"


def number(node: Node, what: str) -> float:
    """The value as a number.

    Raises:
        Fault: it is none.
    """
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise node.fault(f"{what} is no number: write one")
    return node.value


def flag(node: Node, what: str) -> bool:
    """The value as true or false.

    Raises:
        Fault: it is neither.
    """
    if not isinstance(node.value, bool):
        raise node.fault(f"{what} is neither true nor false: write one of them")
    return node.value
