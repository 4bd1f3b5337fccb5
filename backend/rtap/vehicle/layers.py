"""Collects what the files of a table say, before any of it is checked.

Every file may have any of the sections. Within a section, an entry of a later file takes the place of the
earlier one of that name; an intent that a later file names under ``elsewhere`` is no longer among the
``intents``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtap.intents.faults import check_keys, noted
from rtap.intents.yaml_file import Node, read_yaml

_SECTIONS: Final = ("places", "signals", "intents", "elsewhere", "safety")


@dataclass(slots=True)
class Layers:
    """All that the files say."""

    places: dict[str, Node] = field(default_factory=dict)
    signals: dict[str, Node] = field(default_factory=dict)
    intents: dict[str, Node] = field(default_factory=dict)
    elsewhere: dict[str, Node] = field(default_factory=dict)
    safety: dict[str, Node] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def collect(paths: Sequence[Path]) -> Layers:
    """Read files, the later ones over the earlier.

    Raises:
        ConfigurationError: one cannot be read.
    """
    layers = Layers()
    for path in paths:
        with noted(layers.faults):
            _add(layers, read_yaml(path))
    return layers


def _add(layers: Layers, file: Node) -> None:
    top = file.mapping("the file")
    check_keys(top, _SECTIONS, "the file", layers.faults)
    sections = {name: top[name].mapping(name) for name in _SECTIONS if name in top}
    for name, entries in sections.items():
        getattr(layers, name).update(entries)
    intents, elsewhere = sections.get("intents", {}), sections.get("elsewhere", {})
    for intent in intents.keys() & elsewhere.keys():
        layers.faults.append(
            f"{elsewhere[intent].place}: {intent} is among the intents too, at {intents[intent].place}: "
            "delete one of the two"
        )
    for intent in elsewhere:
        layers.intents.pop(intent, None)
    for intent in intents:
        layers.elsewhere.pop(intent, None)
