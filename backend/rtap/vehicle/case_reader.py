"""Reads the section ``intents`` of a table: what each intent does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rtap.intents.faults import advice, check_keys, flag, noted, number
from rtap.intents.intent import Value
from rtap.intents.yaml_file import Fault, Node
from rtap.vehicle.places import LEFT, NAMES, RIGHT
from rtap.vehicle.plan import text_of
from rtap.vehicle.signal_reader import Places, accepted, expanded
from rtap.vehicle.signals import Catalog, Datatype, Signal
from rtap.vehicle.table import Amount, Case, Effect, Operation, Target

Vocabulary = Mapping[str, frozenset[str] | None]
"""The intents that grammars know, each with its slots; None where a grammar does not declare them."""
_ZONE: Final = "zone"
_GIVEN: Final = "given"
_CASE: Final = ("when", "zone", "zone_slot", "momentary", *Operation)
_AMOUNT: Final = ("slot", "values", "times", "otherwise", "reversed_on")
_SIDES: Final = {"left": LEFT, "right": RIGHT}
_RELATIVE: Final = (Operation.RAISE, Operation.LOWER)


class CaseReader:
    """Reads the cases of intents against what there is."""

    def __init__(
        self, signals: Catalog, places: Places, vocabulary: Vocabulary, faults: list[str]
    ) -> None:
        self._signals = signals
        self._places = places
        self._vocabulary = vocabulary
        self._faults = faults

    def check_name(self, intent: str, node: Node) -> None:
        """Note it if no grammar knows an intent."""
        if intent not in self._vocabulary:
            self._faults.append(
                f"{node.place}: no grammar has the intent {intent}: {advice(intent, self._vocabulary)}"
            )

    def read(self, intent: str, node: Node) -> tuple[Case, ...]:
        """What an intent does; what is wrong is noted."""
        self.check_name(intent, node)
        cases = []
        with noted(self._faults):
            for item in node.items(f"intent {intent}"):
                with noted(self._faults):
                    cases.append(self._case(intent, item))
        return tuple(cases)

    def _case(self, intent: str, node: Node) -> Case:
        entry = node.mapping(f"a case of {intent}")
        check_keys(entry, _CASE, f"a case of {intent}", self._faults)
        slot = entry["zone_slot"].text("zone_slot") if "zone_slot" in entry else _ZONE
        otherwise = entry["zone"].text("zone") if "zone" in entry else None
        if otherwise is not None:
            if otherwise not in NAMES:
                raise entry["zone"].fault(f"{otherwise} is no place: {advice(otherwise, NAMES)}")
            if "zone_slot" in entry:
                self._check_slot(intent, slot, entry["zone_slot"])
        if not any(operation in entry and entry[operation].value for operation in Operation):
            raise node.fault(
                f"a case of {intent} does nothing: write one of {', '.join(Operation)}"
            )
        effects = tuple(self._effects(intent, entry))
        if otherwise is None and any(one.place for effect in effects for one in effect.targets):
            raise node.fault(
                f"a case of {intent} has places, and no zone: write which place is meant without one"
            )
        return Case(
            when=self._when(intent, entry),
            effects=effects,
            zone_slot=slot,
            otherwise=otherwise,
            momentary="momentary" in entry and flag(entry["momentary"], "momentary"),
            place=node.place,
        )

    def _when(self, intent: str, entry: Mapping[str, Node]) -> dict[str, str | None]:
        when: dict[str, str | None] = {}
        for slot, node in (entry["when"].mapping("when") if "when" in entry else {}).items():
            self._check_slot(intent, slot, node)
            value = _scalar(node, f"when {slot}")
            when[slot] = None if value == _GIVEN else text_of(value)
        return when

    def _check_slot(self, intent: str, slot: str, node: Node) -> None:
        slots = self._vocabulary.get(intent)
        if slots is not None and slot not in slots:
            raise node.fault(
                f"{intent} has no slot {slot}: {advice(slot, sorted(slots)) if slots else 'it has none'}"
            )

    def _effects(self, intent: str, entry: Mapping[str, Node]) -> Iterator[Effect]:
        for operation in Operation:
            if operation not in entry:
                continue
            node = entry[operation]
            if operation in (Operation.TOGGLE, Operation.ASK):
                for path in node.items(operation):
                    with noted(self._faults):
                        targets = self._targets(path.text("a path"), path, operation)
                        yield Effect(operation, targets, Amount())
                continue
            for template, how in node.mapping(operation).items():
                with noted(self._faults):
                    targets = self._targets(template, how, operation)
                    yield Effect(operation, targets, self._amount(intent, how, targets, operation))

    def _targets(self, template: str, node: Node, operation: Operation) -> tuple[Target, ...]:
        targets = tuple(expanded(template, node, self._places))
        for target in targets:
            signal = self._signals.get(target.path)
            if signal is None:
                raise node.fault(
                    f"{target.path} is no known signal: {advice(target.path, self._signals)}"
                )
            _check_operation(signal, operation, node)
        return targets

    def _amount(
        self, intent: str, node: Node, targets: tuple[Target, ...], operation: Operation
    ) -> Amount:
        signals = [self._signals[target.path] for target in targets]
        if not isinstance(node.value, dict):
            return Amount(constant=_constant(node, signals, operation))
        entry = node.mapping("a value")
        check_keys(entry, _AMOUNT, "a value", self._faults)
        slot = entry["slot"].text("slot") if "slot" in entry else None
        if slot is not None:
            self._check_slot(intent, slot, entry["slot"])
        constant = (
            _constant(entry["otherwise"], signals, operation) if "otherwise" in entry else None
        )
        if slot is None and constant is None:
            raise node.fault("a value has no slot: write the slot's name, or a constant")
        side = entry["reversed_on"].text("reversed_on") if "reversed_on" in entry else ""
        if side and side not in _SIDES:
            raise entry["reversed_on"].fault(f"{side} is no side: write left or right")
        return Amount(
            constant=constant,
            slot=slot,
            values=_values(entry["values"], signals) if "values" in entry else None,
            times=number(entry["times"], "times") if "times" in entry else 1.0,
            reversed_on=_SIDES.get(side, frozenset()),
        )


def _check_operation(signal: Signal, operation: Operation, node: Node) -> None:
    if operation is not Operation.ASK and not signal.is_actuator:
        raise node.fault(f"{signal.path} is a sensor, which cannot be set: choose an actuator")
    if operation in _RELATIVE and not signal.datatype.is_number:
        raise node.fault(f"{signal.path} is no number, which could go up or down: use set")
    if operation is Operation.TOGGLE and signal.datatype is not Datatype.BOOLEAN:
        raise node.fault(f"{signal.path} is not on or off: use set")


def _constant(node: Node, signals: list[Signal], operation: Operation) -> Value:
    if operation in _RELATIVE:
        return number(node, "by how much")
    value = _scalar(node, "a value")
    for signal in signals:
        value = accepted(signal, node)
    return value


def _values(node: Node, signals: list[Signal]) -> dict[str, Value]:
    return {
        said: _constant(one, signals, Operation.SET) for said, one in node.mapping("values").items()
    }


def _scalar(node: Node, what: str) -> Value:
    if isinstance(node.value, str | int | float | bool):
        return node.value
    raise Fault(f"{node.place}: {what} is no single value: write a text, a number, true or false")
