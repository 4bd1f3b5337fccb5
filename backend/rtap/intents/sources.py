"""Collects what the files of a language say, before any of it is parsed as a template.

A grammar lies in folders, each with ``<language>/*.yaml`` and, where it declares intents, ``intents.yaml``.
Later folders add sentences to the intents of earlier ones, and replace their lists and rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from rtap.intents.faults import check_keys, flag, noted
from rtap.intents.yaml_file import Node, read_yaml

BUNDLED: Final = Path(__file__).parent / "grammars"
"""What this project brings."""
DECLARATIONS: Final = "intents.yaml"
_TOP: Final = (
    "language", "intents", "lists", "expansion_rules", "skip_words", "spellings", "responses", "settings",
)  # fmt: skip
"""``responses`` is Home Assistant's, and read by nobody here."""
_INTENT: Final = ("data", "description")
_BLOCK: Final = (
    "sentences", "slots", "lists", "expansion_rules", "requires_context", "excludes_context", "response",
    "metadata", "required_keywords", "inferred_domain", "name_domains", "settings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One item of an intent's ``data``."""

    intent: str
    node: Node
    sentences: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What intents.yaml says of an intent."""

    description: str
    slots: frozenset[str]
    place: str
    acts: bool = True
    """Whether it does something, and not only answers."""


@dataclass(slots=True)
class Sources:
    """All that the files of one language say."""

    language: str
    declarations: dict[str, Declaration] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    lists: dict[str, Node] = field(default_factory=dict)
    rules: dict[str, Node] = field(default_factory=dict)
    skip_words: list[str] = field(default_factory=list)
    spellings: dict[str, str] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def languages(folders: Sequence[Path]) -> tuple[str, ...]:
    """The languages that folders have files for, in the alphabet's order."""
    return tuple(
        sorted({path.parent.name for folder in folders for path in folder.glob("*/*.yaml")})
    )


def collect(language: str, folders: Sequence[Path]) -> Sources:
    """Read the files of a language; what is wrong in them is among the faults.

    Raises:
        ConfigurationError: a folder or a file cannot be read, or no folder has the language.
    """
    sources = Sources(language)
    found = False
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"{folder} is no folder with intents: correct the path")
        files = sorted((folder / language).glob("*.yaml"))
        found |= bool(files)
        if (folder / DECLARATIONS).is_file():
            with noted(sources.faults):
                declare(folder / DECLARATIONS, sources.declarations, sources.faults)
        if not files and not languages([folder]):
            raise ConfigurationError(
                f"{folder} has no intents: put files into a folder named by their language, such as "
                f"{folder / language}/more.yaml"
            )
        here = _Folder()
        for path in files:
            with noted(sources.faults):
                here.read(sources, path)
    if not found:
        there = ", ".join(languages(folders))
        raise ConfigurationError(
            f"there are no intents in the language {language}: choose one of {there}, or add "
            f"{language}/*.yaml to a folder of yours"
        )
    return sources


def declare(path: Path, declarations: dict[str, Declaration], faults: list[str]) -> None:
    """Add the intents that an ``intents.yaml`` declares; keys that nobody reads are noted.

    Raises:
        ConfigurationError: it cannot be read.
        Fault: something else is wrong with it.
    """
    for name, node in read_yaml(path).mapping("the file").items():
        entry = node.mapping(f"intent {name}")
        check_keys(entry, ("description", "slots", "acts"), f"intent {name}", faults)
        slots = entry["slots"].items("slots") if "slots" in entry else ()
        declarations[name] = Declaration(
            description=entry["description"].text("description") if "description" in entry else "",
            slots=frozenset(slot.text("a slot's name") for slot in slots),
            place=node.place,
            acts=flag(entry["acts"], "acts") if "acts" in entry else True,
        )


class _Folder:
    """Reads the files of one folder, in which each intent, list and rule has one place."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def read(self, sources: Sources, path: Path) -> None:
        top = read_yaml(path).mapping("the file")
        check_keys(top, _TOP, "the file", sources.faults)
        language = top.get("language")
        if language is not None and language.value != sources.language:
            sources.faults.append(
                f"{language.place}: language is {language.value}, and the folder is {sources.language}: "
                "move the file, or correct it"
            )
        for name, node in _entries(top, "intents"):
            self._once(sources, f"intent {name}", node)
            with noted(sources.faults):
                self._intent(sources, name, node)
        for name, node in _entries(top, "lists"):
            self._once(sources, f"list {{{name}}}", node)
            sources.lists[name] = node
        for name, node in _entries(top, "expansion_rules"):
            self._once(sources, f"rule <{name}>", node)
            sources.rules[name] = node
        if "skip_words" in top:
            words = top["skip_words"].items("skip_words")
            sources.skip_words += [word.text("a skip word") for word in words]
        for short, node in _entries(top, "spellings"):
            sources.spellings[short] = node.text(f"spelling {short}")
        sources.settings |= {key: node.plain() for key, node in _entries(top, "settings")}

    def _once(self, sources: Sources, what: str, node: Node) -> None:
        if what in self._places:
            sources.faults.append(
                f"{node.place}: {what} is here for the second time, first at {self._places[what]}: "
                "put both together"
            )
        self._places.setdefault(what, node.place)

    def _intent(self, sources: Sources, name: str, node: Node) -> None:
        entry = node.mapping(f"intent {name}")
        check_keys(entry, _INTENT, f"intent {name}", sources.faults)
        if "data" not in entry:
            raise node.fault(f"intent {name} has no data: write `data:` with a list of sentences")
        for block in entry["data"].items(f"data of {name}"):
            keys = block.mapping(f"data of {name}")
            check_keys(keys, _BLOCK, f"data of {name}", sources.faults)
            if "sentences" not in keys:
                raise block.fault(
                    f"data of {name} has no sentences: write `sentences:` with a list"
                )
            sentences = keys["sentences"].items(f"sentences of {name}")
            for sentence in sentences:
                sentence.text(f"a sentence of {name}")
            sources.blocks.append(Block(name, block, sentences))


def _entries(top: dict[str, Node], key: str) -> list[tuple[str, Node]]:
    return list(top[key].mapping(key).items()) if key in top else []
