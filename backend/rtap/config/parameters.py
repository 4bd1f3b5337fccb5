"""Every parameter of :mod:`rtap.config`, read off its fields, and whether a written value will do for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from rtap.config import Config, Filled, Language, OneOf, Range
from rtap.config.file import UNREADABLE, Written
from rtap.errors import ConfigurationError
from rtap.languages import language_code

SECRET: Final = "***"  # noqa: S105 (what is shown instead of one)
"""Shown instead of a secret's value."""
_LONGEST: Final = 60
"""Characters of a wrong value that a message repeats."""


class Refused(Exception):
    """A value will not do."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(*faults)
        self.faults = faults
        """Messages, FILE:LINE first; none where the fault is already known."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be configured."""

    name: str
    """Such as vad.threshold."""
    kind: Any
    """The field's annotation."""
    default: object
    secret: bool
    """Its value is not to be shown."""

    def accept(self, written: Written, subject: str = "") -> Any:
        """The value for the field.

        Args:
            subject: what messages call it; by default the parameter's name.

        Raises:
            Refused: the type is wrong, or the value is not among those allowed.
        """
        if written.value is UNREADABLE:
            raise Refused(())
        base, marks = _parts(self.kind)
        if get_origin(base) is not tuple:
            return self._accept_one(base, marks, written, subject or self.name)
        if not isinstance(written.value, tuple):
            raise self._refused(written, subject or self.name, "it must be a list such as [a, b]")
        return self._accept_items(get_args(base)[0], written.value)

    def _accept_items(self, kind: Any, items: tuple[Written, ...]) -> tuple[object, ...]:
        values: list[object] = []
        faults: list[str] = []
        readable = True
        for number, item in enumerate(items, start=1):
            try:
                if item.value is UNREADABLE:
                    raise Refused(())
                values.append(self._accept_one(*_parts(kind), item, f"{self.name}[{number}]"))
            except Refused as refused:
                readable = False
                faults += refused.faults
        if not readable:
            raise Refused(tuple(faults))
        return tuple(values)

    def _accept_one(self, base: Any, marks: list[Any], written: Written, subject: str) -> object:
        try:
            value: Any = _typed(base, marks, written)
            for mark in marks:
                if check := _CHECKS.get(type(mark)):
                    value = check(mark, value)
        except ValueError as error:
            raise self._refused(written, subject, str(error)) from error
        return float(value) if base is float else value

    def _refused(self, written: Written, subject: str, reason: str) -> Refused:
        place = f"{written.place}: " if written.place else ""
        return Refused((f"{place}{subject} is {self._shown(written)}: {reason}",))

    def _shown(self, written: Written) -> str:
        if written.value is None or written.value == "":
            return "empty"
        if self.secret:
            return SECRET
        text = " ".join(written.text.split())
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        if isinstance(written.value, str) and _parts(self.kind)[0] in _TYPES and written.place:
            return f'"{text}"'  # which explains why "8000" is no number
        return text


def _parts(kind: Any) -> tuple[Any, list[Any]]:
    """An annotation without its marks, and the marks."""
    if get_origin(kind) is not Annotated:
        return kind, []
    base, *marks = get_args(kind)
    return base, marks


def _typed(base: Any, marks: list[Any], written: Written) -> object:
    if get_origin(base) is Literal:
        return _one_of(get_args(base), written)
    if names := next((mark.names for mark in marks if isinstance(mark, OneOf)), ()):
        return _one_of(names, written)
    if base is str:
        return _text(written)
    if base == Path | None:
        return _path(written)
    noun, allowed = _TYPES[base]
    # bool is a subclass of int, hence no isinstance.
    if type(written.value) not in allowed:
        limits = next((_limits(mark) for mark in marks if isinstance(mark, Range)), "")
        raise ValueError(f"it must be {noun}{limits}")
    return written.value


_TYPES: Final[Mapping[type, tuple[str, tuple[type, ...]]]] = MappingProxyType(
    {
        bool: ("true or false", (bool,)),
        int: ("a whole number", (int,)),
        float: ("a number", (int, float)),
    }
)


def _one_of(allowed: tuple[object, ...], written: Written) -> object:
    for value in allowed:
        if type(value) is type(written.value) and value == written.value:
            return value
    names = ", ".join(map(str, allowed))
    raise ValueError(f"it must be {names if len(allowed) == 1 else f'one of {names}'}")


def _text(written: Written) -> str:
    if isinstance(written.value, str):
        return written.value
    scalar = not isinstance(written.value, tuple | dict)
    if scalar and written.variables:
        return written.text  # whoever sets a variable to 0123 cannot know that YAML sees a number
    if scalar and written.value is not None:
        raise ValueError("it must be text, so put it in quotes")
    raise ValueError("it must be text")


def _path(written: Written) -> Path | None:
    text = "" if written.value is None else _text(written)
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:
        raise ValueError("there is no such user: write the whole path") from error


def _limits(allowed: Range) -> str:
    return f" from {allowed.lowest} to {allowed.highest}"


def _in_range(mark: Range, value: Any) -> object:
    if not mark.lowest <= value <= mark.highest:  # so that NaN fails too
        raise ValueError(f"it must be{_limits(mark)}")
    return value


def _filled(_mark: Filled, value: Any) -> object:
    if not value.strip():
        raise ValueError("it must be filled in")
    return value


def _language(mark: Language, value: Any) -> object:
    if mark.auto and value == "auto":
        return value
    try:
        return language_code(value)
    except ConfigurationError as error:
        raise ValueError(str(error).partition(": ")[2]) from error


_CHECKS: Final[Mapping[type, Callable[[Any, Any], object]]] = MappingProxyType(
    {Range: _in_range, Filled: _filled, Language: _language}
)


def _sections() -> Iterator[tuple[str, Any]]:
    for name, kind in get_type_hints(Config).items():
        if dataclasses.is_dataclass(kind):
            yield name, kind


SECTIONS: Final[Mapping[str, Any]] = MappingProxyType(dict(_sections()))
"""The sections' classes by name."""


def _parameters() -> Iterator[Parameter]:
    owners = [(f"{name}.", section) for name, section in SECTIONS.items()]
    for prefix, owner in [*owners, ("", Config)]:
        kinds = get_type_hints(owner, include_extras=True)
        for field in dataclasses.fields(owner):
            # The environment is the profile's name, which stands in no profile.
            if prefix or field.name not in {*SECTIONS, "environment"}:
                name = prefix + field.name
                yield Parameter(name, kinds[field.name], field.default, secret=not field.repr)


PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {parameter.name: parameter for parameter in _parameters()}
)
"""All parameters by name, in the order of the documentation."""
