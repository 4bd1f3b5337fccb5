"""Which intents and slots grammars know, for checking tables without parsing a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtap.errors import ConfigurationError
from rtap.intents.sources import DECLARATIONS, Declaration, collect, declare, languages
from rtap.intents.yaml_file import Fault
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
    declarations: dict[str, Declaration] = {}
    try:
        declare(path, declarations, faults=[])  # unknown keys are for whoever loads the sentences
    except Fault as fault:
        raise ConfigurationError(str(fault)) from fault
    return {name: one.slots for name, one in declarations.items()}
