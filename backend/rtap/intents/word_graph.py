"""The sentences of a grammar as a graph of words: which words may follow those that were said.

The sentences themselves are far too many to be written out: a template with three lists of a hundred values
has a million. So a state is what may still be said, as the parts of templates that are left, and the words
that follow are found when somebody asks for them. Lists and rules are shared by all templates that refer to
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hassil import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sequence,
    TextChunk,
)

from rtap.intents.context import PREVIOUS, QUESTION
from rtap.intents.grammar import Grammar
from rtap.intents.spoken_values import spoken_values

MOST_PARTS: Final = 200_000
"""Remembered parts of sentences, at about 100 bytes each; with more, all are forgotten and found again."""

_SPACE: Final = TextChunk(" ")


@dataclass(frozen=True, eq=False, slots=True)
class _Rest:
    """What is still to be said: a part of a template, and what comes after it. Equal ones are one object."""

    part: Expression
    then: _Then


@dataclass(frozen=True, eq=False, slots=True)
class _Either:
    """One of several rests: those of all sentences that use a list or rule at the same place."""

    rests: frozenset[_Then]


_Then = _Rest | _Either | None
"""None: the sentence ends there."""


class WordState:
    """A place within the sentences, after a word. Equal places are the same one."""

    __slots__ = ("_following", "_graph", "_may_end", "_rests")

    def __init__(self, graph: WordGraph, rests: frozenset[_Then]) -> None:
        self._graph = graph
        self._rests = rests
        self._following: Mapping[str, WordState] | None = None
        self._may_end = False

    @property
    def following(self) -> Mapping[str, WordState]:
        """The words that may come next, in the spelling of texts, and the place after each of them."""
        if self._following is None:
            self._following, self._may_end = self._graph.after(self._rests)
        return self._following

    @property
    def may_end(self) -> bool:
        """Whether a sentence may end here."""
        assert self.following is not None
        return self._may_end


class WordGraph:
    """All sentences of a grammar, but for those that need a wildcard or a value of an empty list.

    Args:
        continuing: whether sentences that continue a dialogue are among them, such as "a bit more".
    """

    def __init__(self, grammar: Grammar, *, continuing: bool = False) -> None:
        self._grammar = grammar
        self._continuing = continuing
        self._rests: dict[tuple[int, int], _Rest] = {}
        self._eithers: dict[frozenset[_Then], _Either] = {}
        self._states: dict[frozenset[_Then], WordState] = {}
        self._texts: dict[str, TextChunk] = {}
        self._lists: dict[tuple[str, str], Expression] = {}
        self._required: dict[int, Mapping[str, Any]] = {}
        """What the sentences of a reference require of the values that it takes; by the reference's id."""
        self._orders: dict[int, Expression] = {}
        self._sayable: dict[int, bool] = {}
        sentences = tuple(self._sentences())
        self.left_out: Final = sum(not self._is_sayable(one) for one in sentences)
        """Templates of which no sentence is in the graph."""
        self._skipped = self._skip_words()
        self._whole = Sequence([self._skipped, Alternative(list(sentences)), self._skipped])
        self.start: Final = WordState(self, frozenset({self._rest(self._whole, None)}))

    @property
    def size(self) -> int:
        """Remembered parts of sentences, which grow with what was asked for."""
        return len(self._rests)

    def _sentences(self) -> Iterator[Expression]:
        for intent in self._grammar.sentences.intents.values():
            for data in intent.data:
                if not self._continuing and {PREVIOUS, QUESTION} & {*data.requires_context}:
                    continue
                for sentence in data.sentences:
                    if data.requires_context:
                        for part in _references(sentence.expression):
                            self._required[id(part)] = data.requires_context
                    yield sentence.expression

    def _skip_words(self) -> Expression:
        """One of the words that are left out wherever they stand, or none."""
        said = [TextChunk(f" {words} ") for words in self._grammar.sentences.skip_words]
        return Alternative([*said, TextChunk("")])

    def after(self, rests: Iterable[_Then]) -> tuple[Mapping[str, WordState], bool]:
        """The words that may be said next with the places after them, and whether nothing may be."""
        if len(self._rests) > MOST_PARTS:
            # States that are in use go on: they only no longer meet their equals.
            self._rests.clear()
            self._eithers.clear()
            self._states.clear()
        words: dict[str, set[_Then]] = {}
        may_end = False
        shared: dict[tuple[str, int], tuple[Expression, set[_Then]]] = {}
        waiting = [("", rest) for rest in rests]
        seen = set(waiting)
        while waiting or shared:
            if not waiting:
                # Only now, so that a list is opened once for all sentences that have it here.
                for (said, _), (part, thens) in shared.items():
                    waiting.append((said, self._rest(part, self._either(frozenset(thens)))))
                shared.clear()
            said, rest = waiting.pop()
            if _is_number(said) or (said and rest is None):
                # What is written without a space after a number, such as %, is a word of its own here.
                words.setdefault(said, set()).add(rest)
                continue
            if rest is None:
                may_end = True
                continue
            if isinstance(rest, _Either):
                following = [(said, one) for one in rest.rests]
            elif isinstance(rest.part, TextChunk):
                following = self._said(said, rest, words)
            elif isinstance(rest.part, ListReference | RuleReference):
                part = self._referred(rest.part)
                shared.setdefault((said, id(part)), (part, set()))[1].add(rest.then)
                continue
            else:
                following = [(said, one) for one in self._opened(rest)]
            new = [one for one in following if one not in seen]
            seen.update(new)
            waiting += new
        return {word: self._state(frozenset(places)) for word, places in words.items()}, may_end

    def _said(
        self, said: str, rest: _Rest, words: dict[str, set[_Then]]
    ) -> list[tuple[str, _Then]]:
        """Go on with a text; a word that it completes is noted."""
        assert isinstance(rest.part, TextChunk)
        word, space, left = (said + rest.part.text).lstrip().partition(" ")
        if not space:
            return [(word, rest.then)]
        after = rest.then
        if left.strip():
            after = self._rest(self._texts.setdefault(left, TextChunk(left)), after)
        words.setdefault(word, set()).add(after)
        return []

    def _opened(self, rest: _Rest) -> Iterator[_Then]:
        """What the next part stands for."""
        part, then = rest.part, rest.then
        if isinstance(part, Permutation):
            yield self._rest(self._in_any_order(part), then)
        elif isinstance(part, Alternative):
            for item in part.items:
                if self._is_sayable(item):
                    yield self._rest(item, then)
        else:
            assert isinstance(part, Sequence)
            for item in reversed(part.items):
                then = self._rest(item, then)
            yield then

    def _referred(self, part: Expression) -> Expression:
        if isinstance(part, RuleReference):
            expression: Expression = self._grammar.sentences.expansion_rules[
                part.rule_name
            ].expression
            return expression
        assert isinstance(part, ListReference)
        required = self._required.get(id(part), {})
        name = (part.list_name, repr(sorted(required.items(), key=str)))
        if name not in self._lists:
            found = spoken_values(part, required, self._grammar)
            self._lists[name] = Alternative(list(found))
        return self._lists[name]

    def _in_any_order(self, permutation: Permutation) -> Expression:
        """The permutation as alternatives; each has one part less to permute."""
        if id(permutation) not in self._orders:
            orders: list[Expression] = [
                Sequence([item, _SPACE, others] if others.items else [item])
                for item, others in permutation.iterate_permutations()
            ]
            self._orders[id(permutation)] = Alternative(orders)
        return self._orders[id(permutation)]

    def _is_sayable(self, expression: Expression) -> bool:
        """Whether an expression has a sentence without a wildcard."""
        known = self._sayable.get(id(expression))
        if known is None:
            if isinstance(expression, TextChunk):
                known = True
            elif isinstance(expression, Alternative):
                known = any(map(self._is_sayable, expression.items))
            elif isinstance(expression, Group):
                known = all(map(self._is_sayable, expression.items))
            else:
                known = self._is_sayable(self._referred(expression))
            self._sayable[id(expression)] = known
        return known

    def _either(self, rests: frozenset[_Then]) -> _Then:
        if len(rests) == 1:
            (one,) = rests
            return one
        return self._eithers.setdefault(rests, _Either(rests))

    def _rest(self, part: Expression, then: _Then) -> _Rest:
        # The rest keeps both alive, so that their ids stay theirs.
        return self._rests.setdefault((id(part), id(then)), _Rest(part, then))

    def _state(self, rests: frozenset[_Then]) -> WordState:
        return self._states.setdefault(rests, WordState(self, rests))


def _is_number(said: str) -> bool:
    return said.replace(".", "", 1).isdigit()


def _references(expression: Expression) -> Iterator[ListReference]:
    if isinstance(expression, ListReference):
        yield expression
    elif isinstance(expression, Group):
        for item in expression.items:
            yield from _references(item)
