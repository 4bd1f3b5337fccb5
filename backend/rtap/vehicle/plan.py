"""Decides what an intent does to which signals. Pure: it reads no signal and no clock.

:func:`plan` says what is wished for, :func:`resolve` makes values of it once the present ones are known, and
:func:`check_safety` refuses what endangers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rtap.intents.intent import Intent, Slot, Value
from rtap.vehicle.places import Place, place
from rtap.vehicle.protocol import Values
from rtap.vehicle.result import Cause, Limits, Refusal
from rtap.vehicle.signals import Signal
from rtap.vehicle.table import Amount, Case, Effect, Operation, SafetyRule, Table, Target
from rtap.vehicle.units import converted

SPEED: Final = "Vehicle.Speed"
"""Of the car over ground in km/h; negative in reverse."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One operation on one signal."""

    signal: Signal
    operation: Operation
    value: Value | None = None
    """What it is set to; for raise and lower by how much, with its sign; None for the others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an intent wants of the car."""

    wishes: tuple[Wish, ...]
    can_be_undone: bool

    @property
    def paths(self) -> tuple[str, ...]:
        """The signals, each once."""
        return tuple(dict.fromkeys(wish.signal.path for wish in self.wishes))

    @property
    def is_question(self) -> bool:
        """Whether nothing is set."""
        return all(wish.operation is Operation.ASK for wish in self.wishes)


def text_of(value: Value) -> str:
    """A slot's value as tables write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plan(intent: Intent, table: Table) -> Plan:
    """What an intent wants of the car.

    Raises:
        Refusal: there is nothing for it in the table, or what was said is not among what the car can do.
    """
    if intent.name not in table.intents:
        if intent.name in table.elsewhere:
            raise Refusal(
                Cause.ELSEWHERE,
                f"no signal of the car: this is for {table.elsewhere[intent.name]}",
            )
        raise Refusal(Cause.NOT_IN_TABLE, f"the table has no signals for {intent.name}")
    case = _case(intent, table)
    wishes = tuple(wish for effect in case.effects for wish in _wishes(effect, case, intent, table))
    momentary = case.momentary or any(wish.signal.momentary for wish in wishes)
    return Plan(wishes, can_be_undone=not momentary)


def _case(intent: Intent, table: Table) -> Case:
    said = {slot.name: text_of(slot.value) for slot in intent.slots}
    for case in table.intents[intent.name]:
        if all(slot in said and wanted in (None, said[slot]) for slot, wanted in case.when.items()):
            return case
    raise Refusal(Cause.NOT_IN_TABLE, f"the table has no signals for {intent.name} with this")


def _wishes(effect: Effect, case: Case, intent: Intent, table: Table) -> Iterator[Wish]:
    for target in _chosen(effect.targets, case, intent, table):
        signal = table.signals[target.path]
        if effect.operation in (Operation.ASK, Operation.TOGGLE):
            yield Wish(signal, effect.operation)
        elif effect.operation is Operation.SET:
            yield Wish(signal, Operation.SET, _value(effect.amount, signal, intent))
        else:
            delta = _difference(effect.amount, signal, intent)
            is_down = effect.operation is Operation.LOWER
            if target.place and target.place <= effect.amount.reversed_on:
                is_down = not is_down
            yield Wish(signal, effect.operation, -delta if is_down else delta)


def _chosen(
    targets: Iterable[Target], case: Case, intent: Intent, table: Table
) -> tuple[Target, ...]:
    """The targets in the place that was said.

    Raises:
        Refusal: there is none.
    """
    wanted = _wanted(case, intent, table)
    chosen = tuple(one for one in targets if not one.place or one.place <= wanted)
    if not chosen:
        raise Refusal(Cause.NO_SUCH_PLACE, "the car has this, but not there")
    return chosen


def _wanted(case: Case, intent: Intent, table: Table) -> Place:
    if case.otherwise is None:
        return frozenset()
    said = intent.value(case.zone_slot)
    name = case.otherwise if said is None else text_of(said)
    try:
        return place(name, table.steering)
    except KeyError as error:
        raise Refusal(Cause.NO_SUCH_PLACE, "the car has no such place") from error


def _value(amount: Amount, signal: Signal, intent: Intent) -> Value:
    slot = _slot(amount, intent)
    try:
        if slot is None:
            return signal.accept(amount.constant)
        if amount.values is not None:
            return signal.accept(amount.values[text_of(slot.value)])
        return signal.accept(_scaled(slot, amount, signal))
    except KeyError as error:
        known = ", ".join(amount.values or ())
        raise Refusal(Cause.OUT_OF_RANGE, f"the car has {known} only") from error
    except ValueError as error:
        raise Refusal(Cause.OUT_OF_RANGE, str(error), _limits(signal)) from error


def _limits(signal: Signal) -> Limits | None:
    """The range of a number; None where it is not bounded."""
    if not (math.isfinite(signal.minimum) and math.isfinite(signal.maximum)):
        return None
    return Limits(signal.minimum, signal.maximum, signal.unit)


def _difference(amount: Amount, signal: Signal, intent: Intent) -> float:
    slot = _slot(amount, intent)
    value = amount.constant if slot is None else _scaled(slot, amount, signal, difference=True)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(Cause.OUT_OF_RANGE, "this is no number to change it by")
    return value


def _scaled(slot: Slot, amount: Amount, signal: Signal, *, difference: bool = False) -> Value:
    value = slot.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    scaled = value * amount.times
    try:
        return converted(scaled, slot.unit, signal.unit, difference=difference)
    except ValueError as error:
        raise Refusal(Cause.OUT_OF_RANGE, str(error)) from error


def _slot(amount: Amount, intent: Intent) -> Slot | None:
    """The slot that says the amount, or None for its constant.

    Raises:
        Refusal: it has to be said, and was not.
    """
    slot = next((one for one in intent.slots if one.name == amount.slot), None)
    if slot is None and amount.constant is None:
        raise Refusal(Cause.NOT_IN_TABLE, f"{intent.name} was said without {amount.slot}")
    return slot


def resolve(plan: Plan, now: Values) -> dict[str, Value]:
    """The values to set, by path; empty for a question.

    Args:
        plan: what is wished for.
        now: the present values of its signals.

    Raises:
        Refusal: a present value is needed and not known, or everything is at its limit already.
    """
    changes: dict[str, Value] = {}
    for wish in plan.wishes:
        path = wish.signal.path
        if wish.operation is Operation.SET and wish.value is not None:
            changes[path] = wish.value
            continue
        present = now.get(path)
        if present is None:
            raise Refusal(Cause.NO_VALUE, f"the car does not know {path}")
        if wish.operation is Operation.TOGGLE:
            changes[path] = not present
        elif wish.operation is not Operation.ASK:
            assert isinstance(present, int | float)
            assert isinstance(wish.value, int | float)
            changes[path] = wish.signal.clamped(present + wish.value)
    relative = [
        wish for wish in plan.wishes if wish.operation in (Operation.RAISE, Operation.LOWER)
    ]
    if relative and all(changes[path] == now[path] for path in changes):
        signal = relative[0].signal
        raise Refusal(
            Cause.AT_LIMIT,
            f"it goes from {signal.minimum:g} to {signal.maximum:g} {signal.unit or ''}".rstrip(),
        )
    return changes


def is_guarded(path: str, rules: Iterable[SafetyRule]) -> bool:
    """Whether the speed matters for setting a signal."""
    return any(rule.concerns(path) for rule in rules)


def check_safety(
    changes: Mapping[str, Value], rules: Iterable[SafetyRule], speed: Value | None, limit: float
) -> None:
    """Refuse what endangers.

    Args:
        changes: what is about to be set.
        rules: what may not be set while the car moves.
        speed: of the car, km/h; None: not known, which counts as moving.
        limit: km/h, for rules without one of their own.

    Raises:
        Refusal: a rule forbids it at this speed.
    """
    forbidding = [
        rule for rule in rules if any(rule.forbids(path, value) for path, value in changes.items())
    ]
    if not forbidding:
        return
    if isinstance(speed, bool) or not isinstance(speed, int | float):
        raise Refusal(Cause.SPEED_UNKNOWN, f"the speed is not known, and {forbidding[0].reason}")
    for rule in forbidding:
        if abs(speed) > (limit if rule.above is None else rule.above):
            raise Refusal(Cause.MOVING, rule.reason)
