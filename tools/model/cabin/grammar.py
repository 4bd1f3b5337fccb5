"""Reads a grammar in JSGF and draws sentences from it.

The Java Speech Grammar Format (W3C note of 2000) is what speech recognisers take. Of it, this reads rules,
alternatives with weights, groups, options and rule references; not imports, tags, ``*`` and ``+``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError

COMMANDS: Final = Path(__file__).with_name("commands.jsgf")
"""The grammar of the cabin model."""

_RULE = re.compile(r"(public\s+)?<([^>]+)>\s*=\s*([^;]*);")
_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()\[\]|])|/(?P<weight>[\d.]+)/|<(?P<rule>[^>]+)>|(?P<word>[^\s()\[\]|/<>]+))"
)


@dataclass(frozen=True, slots=True)
class Sequence:
    """What is said one after the other: words, names of rules in angle brackets, and choices."""

    items: tuple[str | Choice, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, one of which is said."""

    alternatives: tuple[Sequence, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Grammar:
    """Rules by name, and which of them are whole commands."""

    rules: Mapping[str, Choice]
    public: tuple[str, ...]

    @classmethod
    def read(cls, path: Path = COMMANDS) -> Grammar:
        """Read a file.

        Raises:
            ConfigurationError: it has a rule that cannot be understood, or that names a missing one.
        """
        text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
        rules: dict[str, Choice] = {}
        public = []
        for visible, name, body in _RULE.findall(text):
            rules[name] = _Parser(name, body).choice()
            if visible:
                public.append(name)
        grammar = cls(rules, tuple(public))
        grammar._check(path)
        return grammar

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the grammar, in alphabetical order."""
        return tuple(sorted({word for rule in self.rules.values() for word in _words(rule)}))

    @cached_property
    def _alternatives_with(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Public rules and the alternatives in them through which a word can be reached."""
        found: dict[str, list[tuple[str, int]]] = {}
        for name in self.public:
            for index, sequence in enumerate(self.rules[name].alternatives):
                for word in self._reachable(sequence):
                    found.setdefault(word, []).append((name, index))
        return {word: tuple(places) for word, places in found.items()}

    def sentence(self, rng: random.Random) -> str:
        """Draw a command: any domain with the same chance, alternatives by their weights."""
        return self.phrase(rng, rng.choice(self.public))

    def phrase(self, rng: random.Random, rule: str) -> str:
        """Draw what one rule says."""
        return " ".join(self._draw(rng, self.rules[rule]))

    def sentence_with(self, rng: random.Random, word: str, *, attempts: int = 200) -> str:
        """Draw a command that says a certain word, or the bare word where chance does not find one."""
        places = self._alternatives_with.get(word, ())
        for _ in range(attempts if places else 0):
            name, index = rng.choice(places)
            words = list(self._draw_sequence(rng, self.rules[name].alternatives[index]))
            if word in words:
                return " ".join(words)
        return word

    def _draw(self, rng: random.Random, choice: Choice) -> Iterator[str]:
        [sequence] = rng.choices(choice.alternatives, choice.weights)
        yield from self._draw_sequence(rng, sequence)

    def _draw_sequence(self, rng: random.Random, sequence: Sequence) -> Iterator[str]:
        for item in sequence.items:
            if isinstance(item, Choice):
                yield from self._draw(rng, item)
            elif item.startswith("<"):
                yield from self._draw(rng, self.rules[item[1:-1]])
            else:
                yield item

    def _reachable(self, sequence: Sequence) -> set[str]:
        words: set[str] = set()
        for item in sequence.items:
            if isinstance(item, str) and not item.startswith("<"):
                words.add(item)
                continue
            choice = item if isinstance(item, Choice) else self.rules[item[1:-1]]
            for alternative in choice.alternatives:
                words |= self._reachable(alternative)
        return words

    def _check(self, path: Path) -> None:
        if not self.public:
            raise ConfigurationError(
                f"{path} has no public rule: mark whole commands with `public`"
            )
        for name, rule in self.rules.items():
            for missing in _references(rule) - self.rules.keys():
                raise ConfigurationError(f"{path}: <{name}> uses <{missing}>, which is not defined")


class _Parser:
    """Recursive descent over the right side of one rule."""

    def __init__(self, name: str, body: str) -> None:
        self._name = name
        self._tokens = list(_TOKEN.finditer(body))
        self._position = 0
        if sum(len(token.group(0)) for token in self._tokens) != len(body.rstrip()):
            raise ConfigurationError(f"<{name}> has a character that this reader does not know")

    def choice(self) -> Choice:
        """The whole right side."""
        choice = self._alternatives()
        if self._position < len(self._tokens):
            raise ConfigurationError(f"<{self._name}> closes a bracket that it did not open")
        return choice

    def _alternatives(self) -> Choice:
        sequences, weights = [], []
        while True:
            weight = self._take("weight")
            weights.append(float(weight) if weight else 1.0)
            sequences.append(self._sequence())
            if self._take("mark", "|") is None:
                return Choice(tuple(sequences), tuple(weights))

    def _sequence(self) -> Sequence:
        items: list[str | Choice] = []
        while True:
            if word := self._take("word"):
                items.append(word)
            elif rule := self._take("rule"):
                items.append(f"<{rule}>")
            elif self._take("mark", "("):
                items.append(self._alternatives())
                self._expect(")")
            elif self._take("mark", "["):
                inner = self._alternatives()
                self._expect("]")
                total = sum(inner.weights)  # said as often as not
                items.append(Choice((*inner.alternatives, Sequence(())), (*inner.weights, total)))
            else:
                return Sequence(tuple(items))

    def _take(self, kind: str, value: str | None = None) -> str | None:
        if self._position == len(self._tokens):
            return None
        found: str | None = self._tokens[self._position].group(kind)
        if found is None or (value is not None and found != value):
            return None
        self._position += 1
        return found

    def _expect(self, mark: str) -> None:
        if self._take("mark", mark) is None:
            raise ConfigurationError(f"<{self._name}> lacks a closing {mark}")


def _words(choice: Choice) -> Iterator[str]:
    for sequence in choice.alternatives:
        for item in sequence.items:
            if isinstance(item, Choice):
                yield from _words(item)
            elif not item.startswith("<"):
                yield item


def _references(choice: Choice) -> set[str]:
    names: set[str] = set()
    for sequence in choice.alternatives:
        for item in sequence.items:
            if isinstance(item, Choice):
                names |= _references(item)
            elif item.startswith("<"):
                names.add(item[1:-1])
    return names
