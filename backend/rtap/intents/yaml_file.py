"""A YAML file of a grammar as it was written: every value with its file and line, for messages.

Knows nothing of grammars; :mod:`rtap.intents.loader` reads them from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rtap.config.file import fault_line, fault_text
from rtap.errors import ConfigurationError

LARGEST_FILE: Final = 4_000_000
"""Bytes; Home Assistant's largest language has 320,000."""
_DEEPEST: Final = 12
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it, ten times as fast."""


class Fault(Exception):
    """One thing that is wrong, as ``FILE:LINE: fault: what to do``."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands."""

    value: Any
    """A scalar, a tuple of Node, or a dict of Node by key."""
    place: str
    """FILE:LINE."""

    def fault(self, message: str) -> Fault:
        """What is wrong here, to be raised or collected."""
        return Fault(f"{self.place}: {message}")

    def mapping(self, what: str) -> dict[str, Node]:
        """The value as a mapping; empty where all its lines are comments.

        Args:
            what: what it is called in a message.

        Raises:
            Fault: it is none.
        """
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.fault(f"{what} is no mapping: write keys below it, each with its value")
        return self.value

    def items(self, what: str) -> tuple[Node, ...]:
        """The value as a list.

        Raises:
            Fault: it is none.
        """
        if not isinstance(self.value, tuple):
            raise self.fault(
                f"{what} is no list: write each item on a line of its own, after a dash"
            )
        return self.value

    def text(self, what: str) -> str:
        """The value as text that is not empty.

        Raises:
            Fault: it is a number, a list or another thing, or empty.
        """
        if not isinstance(self.value, str):
            raise self.fault(f"{what} is no text: put it in quotes")
        if not self.value.strip():
            raise self.fault(f"{what} is empty: write it, or delete the line")
        return self.value

    def plain(self) -> Any:
        """The value without places, as YAML has it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        ConfigurationError: it cannot be read, is too large, or is no text in UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}): check the path and its permissions"
        ) from error
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(
            f"{path} has more than {LARGEST_FILE // 1_000_000} MB, which no list of words needs: shorten it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}:1: this is not text in UTF-8: save it as such") from error


def read_yaml(path: Path) -> Node:
    """Read a file.

    Raises:
        ConfigurationError: it cannot be read.
        Fault: it is no YAML, has a key twice, an alias, or brackets nested without end.
    """
    text = read_text(path)
    try:
        loader = _LOADER(text)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        line = fault_line(error, text)
        raise Fault(f"{path}:{line}: this is no YAML: {fault_text(error)}") from error
    except RecursionError as error:
        raise Fault(f"{path}:1: brackets are nested too deep: a grammar needs few") from error
    if root is None:
        return Node(None, f"{path}:1")
    return _Reader(path, loader).node(root, depth=0)


class _Reader:
    def __init__(self, path: Path, loader: Any) -> None:
        self._path = path
        self._loader = loader
        self._seen: set[int] = set()

    def node(self, node: Any, depth: int) -> Node:
        place = f"{self._path}:{node.start_mark.line + 1}"
        if id(node) in self._seen:
            raise Fault(f"{place}: an alias (*) repeats this: write it out where it is needed")
        self._seen.add(id(node))
        if depth > _DEEPEST:
            raise Fault(
                f"{place}: this is nested too deep: a grammar needs {_DEEPEST} levels at most"
            )
        if isinstance(node, yaml.MappingNode):
            return Node(self._entries(node, depth), place)
        if isinstance(node, yaml.SequenceNode):
            return Node(tuple(self.node(item, depth + 1) for item in node.value), place)
        try:
            value = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise Fault(f"{place}: this value cannot be read: put it in quotes") from error
        return Node(value, place)

    def _entries(self, node: Any, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            place = f"{self._path}:{key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                raise Fault(f"{place}: a key is a list or a mapping: write a name")
            key = key_node.value
            if key in entries:
                raise Fault(
                    f"{place}: {key} is here for the second time, first at {entries[key].place}: "
                    "put both together"
                )
            # A key's line says more than that of its value, which may be a block further down.
            read = self.node(value_node, depth + 1)
            entries[key] = read if isinstance(read.value, str) else Node(read.value, place)
        return entries
