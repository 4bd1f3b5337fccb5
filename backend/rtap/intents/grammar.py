"""The checked grammar of one language, as the matcher uses it and ``rtap intents list`` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtap.intents.spelling import Spelling

if TYPE_CHECKING:
    from hassil import Intents


@dataclass(frozen=True, slots=True)
class Template:
    """One line of ``sentences``."""

    text: str
    place: str
    """FILE:LINE."""
    slots: tuple[str, ...]
    """Names of the slots that it fills, by lists, by itself or from the turn before, in their order."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An intent as the grammar knows it."""

    name: str
    description: str
    """From intents.yaml; empty where no file declares it."""
    templates: tuple[Template, ...]
    acts: bool = True
    """From intents.yaml: whether it does something, and not only answers."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Everything that can be understood in one language."""

    language: str
    intents: Mapping[str, Declared]
    """By name, in the order of the files."""
    sentences: Intents
    """The same for hassil."""
    spelling: Spelling
    units: Mapping[tuple[str, str, str], str]
    """Units by intent, template and slot."""
    lists: Mapping[str, int]
    """Number of values of each list; of wildcards 0."""

    @property
    def template_count(self) -> int:
        """Number of lines of sentences; what brackets and lists multiply is not counted."""
        return sum(len(intent.templates) for intent in self.intents.values())
