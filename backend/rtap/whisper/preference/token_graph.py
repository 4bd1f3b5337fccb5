"""Expected sentences as a graph of tokens, in the spellings that Whisper writes.

A word may be in lower case or begin with a capital; a short one may be an acronym. A sentence ends with a
full stop, a question mark, an exclamation mark, or nothing. Whisper's tokens never reach across the space
between two words, so the words that may follow make a tree of tokens, whose branches end where the next tree
begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.preference.sentences import Sentences, Words
from rtap.whisper.tokenizer import WhisperTokenizer

MOST_TREES: Final = 2_000
"""Trees that are kept; with more, all are forgotten and made again as they are wanted."""
_ENDINGS: Final = (".", "?", "!")
_LONGEST_ACRONYM: Final = 3


Spellings = tuple[Sequence[str], Sequence[Sequence[int]]]
"""Texts, and the tokens of each."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to go on from a place."""

    tokens: NDArray[np.int64]
    """[ways], each token once."""
    places: Sequence[Place]
    """Where each of them leads."""
    may_end: bool
    """Whether the text may end here."""

    def after(self, token: int) -> Place | None:
        """Where a token leads; None: out of the sentences."""
        found = np.flatnonzero(self.tokens == token)
        return self.places[found[0]] if found.size else None


@dataclass(eq=False, slots=True)
class Place:
    """A place within the sentences, after a token."""

    branches: dict[int, Place] = field(default_factory=dict)
    """Tokens that continue the word, and the places after them."""
    ends: list[Words] = field(default_factory=list)
    """Where a word that is complete here leads."""
    is_closed: bool = False
    """Whether the sentence is over, its full stop included."""
    ways: Ways | None = None
    """Set when they are first asked for; see :meth:`TokenGraph.ways`."""
    words: Spellings | None = None
    """The same; see :meth:`TokenGraph.words`."""


class TokenGraph:
    """The expected sentences of one language in the tokens of one model. Not for several threads at once.

    Trees are made when a search first comes to their place.
    """

    def __init__(self, sentences: Sentences, tokenizer: WhisperTokenizer) -> None:
        self._tokenizer = tokenizer
        self._short_forms = [
            (short, words.split()) for short, words in sentences.short_forms.items()
        ]
        self._encoded: dict[str, tuple[int, ...]] = {}
        self._trees: dict[Words, Place] = {}
        closed = Place(is_closed=True)
        self._endings = [(self._tokens(mark)[0], closed) for mark in _ENDINGS]
        self.start: Final = Place(ends=[sentences.start])

    def ways(self, place: Place) -> Ways:
        """The ways to go on from a place of this graph."""
        if place.ways is None:
            pairs = list(place.branches.items())
            may_end = place.is_closed
            for words in place.ends:
                pairs += self._tree(words).branches.items()
                if words.may_end and place is not self.start:
                    may_end = True
                    pairs += self._endings
            by_token: dict[int, Place] = {}
            for token, after in pairs:
                by_token[token] = _joined(by_token[token], after) if token in by_token else after
            tokens = np.fromiter(by_token, np.int64, len(by_token))
            place.ways = Ways(tokens, tuple(by_token.values()), may_end)
        return place.ways

    def words(self, place: Place) -> Spellings:
        """The spellings that end the word begun at a place, or are the next one; full stops among them."""
        if place.words is None:
            texts: list[str] = []
            ways: list[tuple[int, ...]] = []
            waiting: list[tuple[tuple[int, ...], Place]] = [((), place)]
            while waiting:
                tokens, there = waiting.pop()
                if tokens and (there.ends or there.is_closed):
                    texts.append(self._tokenizer.decode(tokens))
                    ways.append(tokens)
                branches = there.branches
                if not tokens:
                    found = self.ways(there)
                    branches = dict(zip(found.tokens.tolist(), found.places, strict=True))
                waiting += [((*tokens, token), after) for token, after in branches.items()]
            place.words = texts, ways
        return place.words

    def _tree(self, words: Words) -> Place:
        """The words that may come next, token by token."""
        tree = self._trees.get(words)
        if tree is None:
            if len(self._trees) >= MOST_TREES:
                self._trees.clear()
                self._encoded.clear()
            tree = self._trees[words] = Place()
            for text, after in self._written(words):
                place = tree
                for token in self._tokens(text):
                    place = place.branches.setdefault(token, Place())
                if after not in place.ends:
                    place.ends.append(after)
        return tree

    def _written(self, words: Words) -> Iterator[tuple[str, Words]]:
        """What may be written next, with the space before it, and where it leads."""
        for word, after in words.following.items():
            for text in written(word):
                yield text, after
        for short, said in self._short_forms:
            if (after_all := _along(words, said)) is not None:
                yield short, after_all
                for text in written(short):
                    yield text, after_all

    def _tokens(self, text: str) -> tuple[int, ...]:
        if text not in self._encoded:
            self._encoded[text] = self._tokenizer.words.encode(text)
        return self._encoded[text]


def written(word: str) -> Iterator[str]:
    """How Whisper may write a word of a text, with the space before it."""
    yield f" {word}"
    if word[0].isalpha():
        yield f" {word[0].upper()}{word[1:]}"
        if 1 < len(word) <= _LONGEST_ACRONYM and word.isalpha():
            yield f" {word.upper()}"
    elif word[0].isdigit():
        if "." in word:
            yield f" {word.replace('.', ',')}"
    else:
        yield word  # a symbol after a number


def _along(words: Words, said: Sequence[str]) -> Words | None:
    """Where several words in a row lead."""
    place: Words | None = words
    for word in said:
        if place is None:
            return None
        place = place.following.get(word)
    return place


def _joined(one: Place, other: Place) -> Place:
    """A place that goes on as either of two, for words that begin with the same tokens."""
    branches = dict(one.branches)
    for token, after in other.branches.items():
        branches[token] = _joined(branches[token], after) if token in branches else after
    ends = list(dict.fromkeys((*one.ends, *other.ends)))
    return Place(branches, ends, one.is_closed or other.is_closed)
