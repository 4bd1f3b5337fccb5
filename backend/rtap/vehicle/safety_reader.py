"""Reads the section ``safety`` of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rtap.intents.faults import advice, check_keys, noted, number
from rtap.intents.yaml_file import Node
from rtap.vehicle.plan import SPEED
from rtap.vehicle.signal_reader import accepted
from rtap.vehicle.signals import Catalog
from rtap.vehicle.table import SafetyRule

_KEYS: Final = ("signals", "values", "above", "reason")


def read_rules(
    nodes: Mapping[str, Node], signals: Catalog, faults: list[str]
) -> tuple[SafetyRule, ...]:
    """What may not be set while the car moves, and what is wrong with the rules.

    A rule that is about no signal is a fault: it would protect nobody.
    """
    rules = []
    for name, node in nodes.items():
        with noted(faults):
            entry = node.mapping(f"rule {name}")
            check_keys(entry, _KEYS, f"rule {name}", faults)
            for key in ("signals", "reason"):
                if key not in entry:
                    raise node.fault(f"rule {name} has no {key}: write it")
            rules.append(_rule(name, entry, signals))
            if SPEED not in signals:
                raise node.fault(
                    f"rule {name} needs {SPEED}, which is no signal: add it to signals"
                )
    return tuple(rules)


def _rule(name: str, entry: Mapping[str, Node], signals: Catalog) -> SafetyRule:
    patterns = entry["signals"].items("signals")
    rule = SafetyRule(
        name=name,
        signals=tuple(one.text("a path") for one in patterns),
        values=(),
        above=number(entry["above"], "above") if "above" in entry else None,
        reason=entry["reason"].text("reason"),
    )
    for pattern in patterns:
        alone = SafetyRule(name, (pattern.text("a path"),), (), None, "")
        if not any(alone.concerns(path) for path in signals):
            raise pattern.fault(
                f"{pattern.value} is no known signal: {advice(pattern.value, signals)}"
            )
    values = tuple(
        accepted(signal, value)
        for value in (entry["values"].items("values") if "values" in entry else ())
        for signal in signals.values()
        if rule.concerns(signal.path)
    )
    return SafetyRule(name, rule.signals, tuple(dict.fromkeys(values)), rule.above, rule.reason)
