"""One profile as it was written: YAML with ``${VARIABLE}`` in it, every value with its file and line.

Knows nothing of what may be configured; :mod:`rtap.config.parameters` judges the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Types for it are in types-PyYAML, which is not among the dependencies of development.
import yaml

from rtap.errors import ConfigurationError

_VARIABLE: Final = re.compile(r"\$\$|\$\{(?P<inside>[^{}]*)\}|\$\{")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST: Final = 2
"""A profile is sections of keys. Below that nothing is read, lest an alias lead round for ever."""


class _Unreadable:
    """The type of UNREADABLE."""


UNREADABLE: Final = _Unreadable()
"""Stands for a value whose fault is already known."""


@dataclass(frozen=True, slots=True)
class Written:
    """A value, and how it was written."""

    value: object
    """As YAML types it; a sequence is a tuple and a mapping a dict of Written; or UNREADABLE."""
    text: str
    """The scalar's text after substitution; for others what they are."""
    place: str
    """FILE:LINE; empty for the value of an environment variable."""
    variables: tuple[str, ...] = ()
    """Environment variables that were put into it, or asked for and not set."""


def read_profile(
    path: Path, environment: Mapping[str, str], faults: list[str]
) -> dict[str, Written]:
    """Read a profile's keys and values; what is wrong with the file is added to faults.

    In scalars ``${NAME}`` and ``${NAME:default}`` are replaced, before a plain scalar gets its type. A
    variable that is empty counts as not set. ``$$`` is a dollar sign.

    Raises:
        ConfigurationError: the file cannot be read at all.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}): check the path and its permissions"
        ) from error
    except UnicodeDecodeError:
        faults.append(f"{path}:1: this is not text in UTF-8: save it as such")
        return {}
    return _Reader(path, environment, faults).read(text)


class _Reader:
    def __init__(self, path: Path, environment: Mapping[str, str], faults: list[str]) -> None:
        self._path = path
        self._environment = environment
        self._faults = faults

    def read(self, text: str) -> dict[str, Written]:
        try:
            self._yaml = yaml.SafeLoader(text)
            root = self._yaml.get_single_node()
        except yaml.YAMLError as error:
            self._fault(fault_line(error, text), f"this is no YAML: {fault_text(error)}")
            return {}
        except RecursionError:
            self._fault(1, "brackets are nested too deep: a profile is sections of keys")
            return {}
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            self._fault(_line(root), "this is no profile: write sections with keys below them")
            return {}
        return self._mapping(root, depth=0)

    def _fault(self, line: int, message: str) -> None:
        self._faults.append(f"{self._path}:{line}: {message}")

    def _mapping(self, node: Any, depth: int) -> dict[str, Written]:
        entries: dict[str, Written] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(line, "a key is a list or a mapping: write a name")
                continue
            key = key_node.value
            if key in entries:
                self._fault(
                    line,
                    f"{key} is here for the second time: line {lines[key]} has it, so delete one",
                )
                entries[key] = Written(UNREADABLE, "", f"{self._path}:{line}")
                continue
            lines[key] = line
            entries[key] = self._written(value_node, line, depth + 1)
        return entries

    def _written(self, node: Any, line: int, depth: int) -> Written:
        place = f"{self._path}:{line}"
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if isinstance(node, yaml.MappingNode):
            entries = self._mapping(node, depth) if depth < _DEEPEST else {}
            return Written(entries, "a mapping", place)
        items = node.value if depth <= _DEEPEST else ()
        written = tuple(self._written(item, _line(item), _DEEPEST + 1) for item in items)
        return Written(written, "a list", place)

    def _scalar(self, node: Any, line: int) -> Written:
        variables: list[str] = []
        try:
            text = "".join(self._pieces(node.value, variables))
            tag = node.tag
            if text != node.value and tag == self._tag(node, node.value):
                tag = self._tag(node, text)
            value = self._yaml.construct_object(yaml.ScalarNode(tag, text, node.start_mark))
            if isinstance(value, list | dict | set):  # what !!map makes of a word
                raise ValueError  # noqa: TRY004 (it is the profile's fault)
        except ConfigurationError as error:
            self._fault(line, str(error))
        except (yaml.YAMLError, ValueError):
            # The text may be a secret: it is not shown.
            self._fault(
                line, "the value cannot be read with the type that it has: put it in quotes"
            )
        else:
            return Written(value, text, f"{self._path}:{line}", tuple(variables))
        return Written(UNREADABLE, "", f"{self._path}:{line}", tuple(variables))

    def _tag(self, node: Any, text: str) -> str:
        """The type of a scalar that states none, from its quotes and its text."""
        plain = node.style is None
        tag: str = self._yaml.resolve(yaml.ScalarNode, text, (plain, not plain))
        return tag

    def _pieces(self, text: str, variables: list[str]) -> Iterator[str]:
        """The parts of a scalar, with variables replaced.

        Raises:
            ConfigurationError: a variable is not set, or this is no name of one.
        """
        end = 0
        for match in _VARIABLE.finditer(text):
            yield text[end : match.start()]
            end = match.end()
            yield "$" if match[0] == "$$" else self._variable(match["inside"] or "", variables)
        yield text[end:]

    def _variable(self, inside: str, variables: list[str]) -> str:
        name, colon, default = inside.partition(":")
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                "a ${ begins no variable: write ${NAME} or ${NAME:default}, or $$ for a dollar sign"
            )
        variables.append(name)
        value = self._environment.get(name)
        if not value and not colon:
            raise ConfigurationError(
                f"the environment variable {name} is not set: set it, or write ${{{name}:default}}"
            )
        return value or default


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def fault_line(error: Any, text: str) -> int:
    """The line, counted from 1, that an error of PyYAML is about."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    return text.count("\n", 0, getattr(error, "position", 0)) + 1


def fault_text(error: Any) -> str:
    """What an error of PyYAML says, in one line."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it breaks off"
    return " ".join(str(problem).split())
