"""What a sentence asks for: an intent with its slots, as data say it and as a grammar understands it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtap.errors import ConfigurationError
from rtap.intents.intent import Value

_EXAMPLE = '{"intent": "SetTemperature", "slots": {"temperature": 21}}'


@dataclass(frozen=True, slots=True)
class Meaning:
    """An intent and what its slots hold."""

    intent: str
    """Empty: no command."""
    slots: tuple[tuple[str, Value], ...] = ()
    """Names and values, in the order of the names."""

    def __bool__(self) -> bool:
        """Whether it is a command or a question."""
        return bool(self.intent)

    def __str__(self) -> str:
        """``SetFan level=3``; ``nothing`` where it is no command."""
        slots = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.slots)
        return " ".join([self.intent, *slots]) if self else "nothing"


NOTHING = Meaning("")


class BrokenMeaning(ValueError):
    """An entry that says no meaning; the message says how to mend it."""


def meaning_of(entry: Mapping[str, Any]) -> Meaning | None:
    """What an entry's "intent" and "slots" say; None without "intent".

    Raises:
        BrokenMeaning: they are something else.
    """
    intent, slots = entry.get("intent"), entry.get("slots") or {}
    if "intent" not in entry:
        if slots:
            raise BrokenMeaning(f'"slots" stand without "intent": write {_EXAMPLE}')
        return None
    if not isinstance(intent, str):
        raise BrokenMeaning(f'"intent" is no text: write {_EXAMPLE}, "" for no command')
    if not isinstance(slots, dict) or not all(isinstance(one, Value) for one in slots.values()):
        raise BrokenMeaning(f'"slots" are not names with values: write {_EXAMPLE}')
    if slots and not intent:
        raise BrokenMeaning('"slots" of no command: leave them out, or name the intent')
    return Meaning(intent, tuple(sorted(slots.items())))


def read_meaning(path: Path) -> Meaning:
    """From a file with one such object.

    Raises:
        ConfigurationError: it holds something else, or cannot be read.
    """
    try:
        entry = json.loads(path.read_text(encoding="utf-8-sig"))
        found = meaning_of(entry) if isinstance(entry, dict) else None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} says no intent ({error}): write {_EXAMPLE}") from error
    if found is None:
        raise ConfigurationError(f"{path} says no intent: write {_EXAMPLE}")
    return found
