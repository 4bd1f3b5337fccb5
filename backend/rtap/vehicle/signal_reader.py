"""Reads the sections ``places`` and ``signals`` of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rtap.intents.faults import advice, check_keys, flag, noted, number
from rtap.intents.intent import Value
from rtap.intents.yaml_file import Node
from rtap.vehicle.places import NAMES, Place, Steering, place
from rtap.vehicle.signals import Datatype, Signal
from rtap.vehicle.table import Target
from rtap.vehicle.units import UNITS

Places = Mapping[str, tuple[tuple[Place, str], ...]]
"""By the name between < and >: what is covered, and the part of the path."""
_KEYS: Final = (
    "type", "unit", "actuator", "min", "max", "step", "allowed", "start", "follows", "momentary",
)  # fmt: skip
_MARK: Final = re.compile(r"<([^<>]*)>")
_PATH: Final = re.compile(r"Vehicle(\.[A-Za-z][A-Za-z0-9]*)+")


def read_places(nodes: Mapping[str, Node], steering: Steering, faults: list[str]) -> Places:
    """The places that paths can name, and what is wrong with them."""
    places = {}
    for name, node in nodes.items():
        parts = []
        with noted(faults):
            for where, part in node.mapping(f"places {name}").items():
                if where not in NAMES:
                    raise part.fault(f"{where} is no place: {advice(where, NAMES)}")
                parts.append((place(where, steering), part.text(f"the path of {where}")))
        places[name] = tuple(parts)
    return places


def expanded(template: str, node: Node, places: Places) -> Iterator[Target]:
    """A path with <name> replaced, once for each place of that name.

    Raises:
        Fault: there is no such name, or there are two.
    """
    marks = _MARK.findall(template)
    if len(marks) > 1:
        raise node.fault(f"{template} has more than one <name>: write a line for each place")
    if not marks:
        yield Target(template, frozenset())
        return
    if marks[0] not in places:
        raise node.fault(f"{template} has the unknown <{marks[0]}>: {advice(marks[0], places)}")
    for covered, part in places[marks[0]]:
        yield Target(template.replace(f"<{marks[0]}>", part), covered)


def read_signals(nodes: Mapping[str, Node], places: Places, faults: list[str]) -> dict[str, Signal]:
    """All signals by path, and what is wrong with them."""
    signals: dict[str, Signal] = {}
    for template, node in nodes.items():
        with noted(faults):
            entry = node.mapping(template)
            check_keys(entry, _KEYS, template, faults)
            for target in expanded(template, node, places):
                if not _PATH.fullmatch(target.path):
                    raise node.fault(
                        f"{target.path} is no path: write names with points between, Vehicle first"
                    )
                signals[target.path] = _signal(target, node, entry, places)
    for template, node in nodes.items():
        with noted(faults):
            _check_followed(template, node, signals, places)
    return signals


def _signal(target: Target, node: Node, entry: Mapping[str, Node], places: Places) -> Signal:
    kind = _datatype(node, entry)
    low, high = kind.limits
    minimum = number(entry["min"], "min") if "min" in entry else low
    maximum = number(entry["max"], "max") if "max" in entry else high
    if not low <= minimum <= maximum <= high:
        raise node.fault(
            f"{target.path} goes from {minimum:g} to {maximum:g}, and a {kind} cannot: correct min and max"
        )
    step = number(entry["step"], "step") if "step" in entry else None
    if step is not None and step <= 0:
        raise entry["step"].fault("step is not above 0: write a larger one, or leave it out")
    allowed = entry["allowed"].items("allowed") if "allowed" in entry else ()
    unit = entry["unit"].text("unit") if "unit" in entry else None
    if unit is not None and unit not in UNITS:
        raise entry["unit"].fault(f"{unit} is no unit of VSS: {advice(unit, sorted(UNITS))}")
    bare = Signal(
        path=target.path,
        datatype=kind,
        start="",
        unit=unit,
        is_actuator="actuator" in entry and flag(entry["actuator"], "actuator"),
        minimum=minimum,
        maximum=maximum,
        step=step,
        allowed=tuple(one.text("an allowed value") for one in allowed),
        follows=_followed(target, entry, places),
        momentary="momentary" in entry and flag(entry["momentary"], "momentary"),
    )
    return _started(bare, entry)


def _datatype(node: Node, entry: Mapping[str, Node]) -> Datatype:
    if "type" not in entry:
        raise node.fault(f"this signal has no type: write one of {', '.join(Datatype)}")
    name = entry["type"].text("type")
    if name not in tuple(Datatype):
        raise entry["type"].fault(f"{name} is no type: {advice(name, tuple(Datatype))}")
    return Datatype(name)


def _started(signal: Signal, entry: Mapping[str, Node]) -> Signal:
    """The signal with the value that it starts with."""
    start: Value
    if "start" in entry:
        start = accepted(signal, entry["start"])
    elif signal.datatype is Datatype.BOOLEAN:
        start = False
    elif signal.datatype is Datatype.STRING:
        start = signal.allowed[0] if signal.allowed else ""
    else:
        start = signal.clamped(0)
    return replace(signal, start=start)


def _followed(target: Target, entry: Mapping[str, Node], places: Places) -> str | None:
    if "follows" not in entry:
        return None
    node = entry["follows"]
    matching = [
        one.path
        for one in expanded(node.text("follows"), node, places)
        if one.place == target.place
    ]
    if len(matching) != 1:
        raise node.fault("follows has other places than the signal: write the same <name>")
    return matching[0]


def _check_followed(
    template: str, node: Node, signals: Mapping[str, Signal], places: Places
) -> None:
    for target in expanded(template, node, places):
        signal = signals.get(target.path)
        if signal is None or signal.follows is None:
            continue
        followed = signals.get(signal.follows)
        if followed is None:
            raise node.fault(
                f"{signal.follows} is followed and unknown: {advice(signal.follows, signals)}"
            )
        if followed.datatype is not signal.datatype:
            raise node.fault(
                f"{signal.follows} is of another type than what follows it: give both one"
            )


def accepted(signal: Signal, node: Node) -> Value:
    """A value of a file, as a signal holds it.

    Raises:
        Fault: the signal does not take it.
    """
    try:
        return signal.accept(node.value)
    except ValueError as error:
        raise node.fault(f"{signal.path} does not take this: {error}") from error
