"""What intents do, as it was read and checked: frozen values with every path written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from rtap.intents.intent import Value
from rtap.vehicle.places import Place, Steering
from rtap.vehicle.signals import Catalog


class Operation(StrEnum):
    """What is done to a signal."""

    SET = "set"
    RAISE = "raise"
    LOWER = "lower"
    TOGGLE = "toggle"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Amount:
    """Which value, or by how much."""

    constant: Value | None = None
    """Without a slot, or where it was not said; None: the slot has to be said."""
    slot: str | None = None
    values: Mapping[str, Value] | None = None
    """By what was said, as text; None: what was said itself."""
    times: float = 1.0
    reversed_on: Place = frozenset()
    """Where up is down."""


@dataclass(frozen=True, slots=True)
class Target:
    """One signal that an effect can be about."""

    path: str
    place: Place
    """Empty: it has no place."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One operation, on a signal in all its places."""

    operation: Operation
    targets: tuple[Target, ...]
    amount: Amount


@dataclass(frozen=True, slots=True)
class Case:
    """What an intent does when certain slots were said."""

    when: Mapping[str, str | None]
    """Slots with the text of their value; None: any."""
    effects: tuple[Effect, ...]
    zone_slot: str
    otherwise: str | None
    """The place that is meant where the speaker names none; None: there are no places."""
    momentary: bool
    place: str
    """FILE:LINE."""


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """What may not be set while the car moves."""

    name: str
    signals: tuple[str, ...]
    """Patterns of paths."""
    values: tuple[Value, ...]
    """Empty: all."""
    above: float | None
    """km/h; None: the configured limit."""
    reason: str

    def concerns(self, path: str) -> bool:
        """Whether it is about a signal."""
        return any(fnmatchcase(path, pattern) for pattern in self.signals)

    def forbids(self, path: str, value: Value) -> bool:
        """Whether it is about setting a signal to a value."""
        return self.concerns(path) and (not self.values or value in self.values)


@dataclass(frozen=True, slots=True)
class Table:
    """All that intents do in one car."""

    signals: Catalog
    intents: Mapping[str, tuple[Case, ...]]
    elsewhere: Mapping[str, str]
    """Intents that act on no signal, and who answers them."""
    safety: tuple[SafetyRule, ...]
    steering: Steering
