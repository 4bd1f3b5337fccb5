"""Which intents and slots grammars know, for checking tables without parsing a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtap.errors import ConfigurationError
from rtap.intents.sources import DECLARATIONS, collect, languages
from rtap.intents.yaml_file import Fault, read_yaml
from rtap.vehicle.case_reader import Vocabulary


def vocabulary(folders: Sequence[Path]) -> Vocabulary:
    """The intents of folders: those that intents.yaml declares, and those that only have sentences.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    known: dict[str, frozenset[str] | None] = {}
    for folder in folders:
        declarations = folder / DECLARATIONS
        if declarations.is_file():
            known |= _declared(declarations)
        else:
            for language in languages([folder]):
                known |= {
                    block.intent: None for block in collect(language, [folder]).blocks
                } | known
    return known


def _declared(path: Path) -> dict[str, frozenset[str] | None]:
    try:
        known: dict[str, frozenset[str] | None] = {}
        for name, node in read_yaml(path).mapping("the file").items():
            slots = node.mapping(f"intent {name}").get("slots")
            names = slots.items("slots") if slots else ()
            known[name] = frozenset(slot.text("a slot's name") for slot in names)
        return known
    except Fault as fault:
        raise ConfigurationError(str(fault)) from fault
