"""Collects what the files of one language say, before any of it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from rtap.intents.faults import check_keys, noted
from rtap.intents.yaml_file import Node, read_yaml

BUNDLED: Final = Path(__file__).parent / "sentences"
"""What this project brings."""
_SECTIONS: Final = (
    "language", "numbers", "lists", "units", "words", "places", "intents", "otherwise",
)  # fmt: skip


@dataclass(slots=True)
class Layers:
    """All that the files say, before it is checked."""

    language: str
    sections: dict[str, dict[str, Node]] = field(default_factory=lambda: {s: {} for s in _SECTIONS})
    """By name, as the last file has each entry."""
    intents: dict[str, dict[str, Node]] = field(default_factory=dict)
    """The entries of the section ``intents``, with the outcomes of all files."""
    place: str = ""
    """The first file, for what is missing."""
    faults: list[str] = field(default_factory=list)

    def add(self, file: Node) -> None:
        """Take over the entries of one more file.

        Raises:
            Fault: it is no mapping.
        """
        self.place = self.place or file.place
        top = file.mapping("the file")
        check_keys(top, _SECTIONS, "the file", self.faults)
        language = top.get("language")
        if language is not None and language.value != self.language:
            self.faults.append(
                f"{language.place}: language is {language.value}, and the file's name says {self.language}: "
                "rename the file, or correct it"
            )
        for name in _SECTIONS[1:]:
            with noted(self.faults):
                self._merge(name, top[name].mapping(name) if name in top else {})

    def _merge(self, section: str, entries: dict[str, Node]) -> None:
        earlier = self.sections[section]
        if section == "intents":
            for name, node in entries.items():
                self.intents[name] = self.intents.get(name, {}) | node.mapping(f"intent {name}")
        # A file's own patterns come first, as the first that fits counts.
        first = entries if section == "places" else {}
        self.sections[section] = first | earlier | entries


def languages(folders: Sequence[Path]) -> tuple[str, ...]:
    """The languages that folders have files for, in the alphabet's order."""
    return tuple(sorted({path.stem for folder in folders for path in folder.glob("*.yaml")}))


def collect(language: str, folders: Sequence[Path]) -> Layers:
    """Read LANGUAGE.yaml of each folder, entries of later ones over the earlier.

    Raises:
        ConfigurationError: a folder is not there, or a file cannot be read.
    """
    layers = Layers(language)
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"{folder} is no folder with answers: correct the path")
        path = folder / f"{language}.yaml"
        if path.is_file():
            with noted(layers.faults):
                layers.add(read_yaml(path))
    return layers
