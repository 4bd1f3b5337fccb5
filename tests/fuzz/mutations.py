"""Changes bytes in the ways in which files and messages break, or are broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from hypothesis import strategies as st

KINDS: Final = ("flip", "set", "insert", "delete", "repeat", "cut", "number")
LONGEST: Final = 64 * 1024
"""Bytes of an input: what comes out of them is bounded by that."""
_NUMBERS: Final = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
"""Where sizes and counts overflow."""
_LONGEST_SPAN: Final = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    kind: str
    place: float
    """0 to 1, of the length."""
    amount: int
    """A byte, a bit, a length or a number's index, as the kind needs it."""
    text: bytes
    """For insert."""


def changed(data: bytes, changes: Sequence[Change]) -> bytes:
    """The data after all changes, at most LONGEST bytes."""
    for change in changes:
        data = _changed(data, change)[:LONGEST]
    return data


def _changed(data: bytes, change: Change) -> bytes:
    place = int(change.place * len(data))
    before, after = data[:place], data[place:]
    span = change.amount % _LONGEST_SPAN
    number = _NUMBERS[change.amount % len(_NUMBERS)].to_bytes(4, "little")
    flipped = (after[0] if after else 0) ^ (1 << change.amount % 8)
    made = {
        "flip": bytes([flipped]) + after[1:],
        "set": bytes([change.amount % 256]) + after[1:],
        "insert": change.text + after,
        "delete": after[span:],
        "repeat": after[:span] + after,
        "cut": b"",
        "number": number + after[len(number) :],
    }
    return before + made[change.kind]


def changes(words: Sequence[bytes]) -> st.SearchStrategy[list[Change]]:
    """Up to eight changes for hypothesis; ``words`` are what this kind of input is made of."""
    text = st.one_of(st.sampled_from([b"", *words]), st.binary(max_size=16))
    places = st.floats(0, 1, width=32)
    one = st.builds(Change, st.sampled_from(KINDS), places, st.integers(0, 1 << 16), text)
    return st.lists(one, max_size=8)


def random_changes(random: Random, words: Sequence[bytes]) -> list[Change]:
    """The same, for a search that does not ask hypothesis."""
    found = []
    for _ in range(random.randint(1, 8)):
        text = random.choice([*words, random.randbytes(random.randint(1, 16))])
        amount = random.randint(0, 1 << 16)
        found.append(Change(random.choice(KINDS), random.random(), amount, text))
    return found
