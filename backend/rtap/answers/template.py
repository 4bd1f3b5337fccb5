"""Templates of sentences: their parsing and their rendering. They know nothing of intents.

``{name}``
    a fact in words, such as ``21 degrees``.
``{words:name}``
    what a list of words has for the fact.
``[text {name}]``
    left out where one of the facts in it is not known.
``(is|are)``
    the first where it is about one thing, the second where it is about several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

_MARK: Final = re.compile(r"\{([^{}\[\]()|]*)\}|([\[\]()|{}])")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SPACES: Final = re.compile(r"\s+")
_BEFORE_PUNCTUATION: Final = re.compile(r" +(?=[,.;:?!])")
_DEEPEST: Final = 8
"""Brackets within brackets; a sentence needs two."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for a fact."""

    name: str
    words: str | None = None
    """The list that has words for it; None: it is shown as it is."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """What is left out where a fact in it is not known."""

    parts: Template


@dataclass(frozen=True, slots=True)
class Number:
    """Singular and plural."""

    one: Template
    many: Template


Part = str | Hole | Bracket | Number
Template = tuple[Part, ...]


class Facts(Protocol):
    """What a template is filled with."""

    @property
    def is_many(self) -> bool:
        """Whether it is about several things."""
        ...

    def text(self, hole: Hole) -> str | None:
        """The words for a hole; None where they are not known."""
        ...


def parse(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: a bracket has no other half, or there is no name in braces; says what to do.
    """
    return _Parser(text).sequence("", depth=0)


def holes(template: Template, *, needed: bool = False) -> Iterator[Hole]:
    """All holes of a template.

    Args:
        needed: only those without which there is no sentence.
    """
    for part in template:
        if isinstance(part, Hole):
            yield part
        elif isinstance(part, Bracket) and not needed:
            yield from holes(part.parts)
        elif isinstance(part, Number):
            yield from holes(part.one, needed=needed)
            yield from holes(part.many, needed=needed)


def render(template: Template, facts: Facts) -> str | None:
    """The text with single spaces, none before punctuation; None where a fact that it needs is not known."""
    text = _filled(template, facts)
    return None if text is None else _BEFORE_PUNCTUATION.sub("", _SPACES.sub(" ", text)).strip()


def _filled(template: Template, facts: Facts) -> str | None:
    filled = ""
    for part in template:
        text: str | None
        if isinstance(part, str):
            text = part
        elif isinstance(part, Hole):
            text = facts.text(part)
        elif isinstance(part, Bracket):
            text = _filled(part.parts, facts) or ""
        else:
            text = _filled(part.many if facts.is_many else part.one, facts)
        if text is None:
            return None
        filled += text
    return filled


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def sequence(self, end: str, depth: int) -> Template:
        """Parts up to one of the characters of ``end``, which is not read; empty: up to the text's end."""
        if depth > _DEEPEST:
            raise ValueError(f"brackets are nested more than {_DEEPEST} deep: write them flat")
        parts: list[Part] = []
        while match := _MARK.search(self._text, self._at):
            if match.start() > self._at:
                parts.append(self._text[self._at : match.start()])
            mark = match[2]
            if mark and mark in end:
                self._at = match.start()
                return tuple(parts)
            self._at = match.end()
            if mark is None:
                parts.append(_hole(match[1]))
            elif mark == "[":
                parts.append(Bracket(self._inside("]", depth)))
            elif mark == "(":
                parts.append(self._number(depth))
            else:
                raise ValueError(f"there is a {mark} without its other half: complete or delete it")
        if end:
            raise ValueError(f"a {end[-1]} is missing: close the bracket")
        if self._at < len(self._text):
            parts.append(self._text[self._at :])
            self._at = len(self._text)
        return tuple(parts)

    def _inside(self, end: str, depth: int) -> Template:
        parts = self.sequence(end, depth + 1)
        self._at += 1
        return parts

    def _number(self, depth: int) -> Number:
        one = self.sequence("|)", depth + 1)
        if self._text[self._at] == ")":
            raise ValueError("there is no | in (): write (one thing|several things)")
        self._at += 1
        return Number(one, self._inside(")", depth))


def _hole(text: str) -> Hole:
    words, colon, name = text.rpartition(":")
    for one in (name, *([words] if colon else [])):
        if not _NAME.fullmatch(one):
            raise ValueError(
                f"{{{text}}} has no name of small letters, digits and _: write {{name}} or {{words:name}}"
            )
    return Hole(name, words or None)
