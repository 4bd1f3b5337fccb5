"""Whether another sentence, which asks for something else, may have been said instead of the chosen one.

"Lock the doors" and "unlock the doors" are one word apart, and so are fifteen and fifty. In noise the wrong
one can be likely in each of its tokens; what gives it away is that the right one is nearly as likely. The
others come from the graph of the sentences: where another token is nearly as likely as that of the text, the
sentence is taken that has this token there, and the rest of the text behind it. It is known in advance, so
that the decoder takes all of its tokens at once, which costs hardly more than a single one.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtap.whisper.decode import Decoded
from rtap.whisper.model import SpeechModel
from rtap.whisper.preference.known_tokens import KnownTokens
from rtap.whisper.preference.sentences import Sentences
from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.preference.trail import Trail

EVEN: Final = 2.5
"""Natural log of how many times as likely as its rival a text is whose certainty is a half.

Below that the speaker is asked. It would be 0 if Whisper were not too sure of itself in noise. Chosen with
four English voices and checked with three others, whisper-base in int8: of the 240 commands of these with a
car's noise at 10 dB, 3 were done wrongly before and 1 since; of 175 right ones 2 more are asked for, and 1 of
102 without noise.
"""
NEAR: Final = 3.0
"""The same, from which on there is no doubt, and rivals are not looked for."""
MOST_PASSES: Final = 6
"""Passes of the decoder for the rivals of a text, each of which costs as much as one or two tokens did."""
MOST_STARTS: Final = 16
MOST_WORDS: Final = 12
MOST_OTHERS: Final = 12
"""Other tokens that are looked at, the nearest first; words that begin with one of them; sentences in all."""
_MARKS: Final = re.compile(r"[,.;:!?](?=\s)")
"""Punctuation within a text, which the graph does not have."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a rival parts from the text."""

    tokens: tuple[int, ...]
    """Those before, and the rival's first own one; without one it ends there."""
    log_probability: float
    """Of these tokens, and of the end if it ends there."""
    place: Place | None
    """After them; None: it ends there."""
    at: int
    """Index of the text's own token."""
    lead: float
    """By how much its token is likelier than that of the text."""


class Rivals:
    """Those within the sentences of one graph. Not for several threads at once."""

    def __init__(self, graph: TokenGraph, sentences: Sentences, model: SpeechModel) -> None:
        self._graph = graph
        self._sentences = sentences
        self._tokenizer = model.tokenizer
        self._end_of_text = model.tokenizer.end_of_text

    def certainty(
        self, chosen: Decoded, text: str, trail: Trail | None, known: KnownTokens
    ) -> float:
        """The chance that the text was said and not its likeliest rival, 0 to 1.

        It is 1 where the text is no sentence, or has no rival that is near. As a rule it costs some lookups;
        for a text that was not decoded greedily one pass of the decoder, and one for each rival.

        Args:
            text: what the tokens spell.
            trail: what saw them being decoded; None where nothing did.
            known: scores tokens by the same audio.
        """
        tokens = self._sentence(chosen.tokens, text) if chosen.ended else None
        if tokens is None:
            return 1.0
        total = chosen.average_log_probability * (len(tokens) + 1)
        if trail is None or tokens != chosen.tokens:
            trail = Trail(self._graph, self._end_of_text)
            total = known.show(tokens, trail)
        starts = sorted(self._starts(tokens, trail, total), key=lambda one: -one.lead)
        others = [*itertools.islice(self._others(starts, tokens), MOST_OTHERS)]
        if not others or (meaning := self._sentences.meaning(text)) is None:
            return 1.0
        known.passes = 0
        nearest = total - NEAR
        asked = {None, meaning}
        for start, other in others:
            if start.log_probability > nearest and (one := self._meaning(other)) not in asked:
                asked.add(one)  # other spellings of it are further away
                nearest = max(nearest, self._scored(start, other, known))
        return 1 / (1 + math.exp(EVEN - (total - nearest))) if nearest > total - NEAR else 1.0

    def _sentence(self, tokens: tuple[int, ...], text: str) -> tuple[int, ...] | None:
        """The tokens as a sentence of the graph; None where they are none, even without punctuation."""
        if self._may_follow(self._graph.start, tokens):
            return tokens
        plain = _MARKS.sub("", text)
        if plain == text:
            return None
        tokens = self._tokenizer.words.encode(f" {plain}")
        return tokens if self._may_follow(self._graph.start, tokens) else None

    def _may_follow(self, place: Place, tokens: Sequence[int]) -> bool:
        """Whether tokens lead from a place to the end of a sentence."""
        after: Place | None = place
        for token in tokens:
            after = None if after is None else self._graph.ways(after).after(token)
        return after is not None and self._graph.ways(after).may_end

    def _starts(self, tokens: Sequence[int], trail: Trail, total: float) -> Iterator[_Start]:
        """Where another token is near, unless it is another spelling of the same word or end."""
        text = [*tokens, self._end_of_text]
        sums = [*(fork.before for fork in trail.forks[1:]), total]
        for at, (fork, after) in enumerate(zip(trail.forks, sums, strict=True)):
            ways = self._graph.ways(fork.place)
            is_end = _is_end(ways.after(text[at]))
            for way in np.flatnonzero(fork.others >= after - NEAR).tolist():
                log_probability = float(fork.others[way])
                lead = log_probability - after
                if way == len(ways.places):
                    if not is_end:
                        yield _Start((*tokens[:at],), log_probability, None, at, lead)
                    continue
                token, place = int(ways.tokens[way]), ways.places[way]
                if not (is_end and place.is_closed) and not self._is_same(
                    token, place, tokens[at:]
                ):
                    yield _Start((*tokens[:at], token), log_probability, place, at, lead)

    def _is_same(self, token: int, place: Place, rest: Sequence[int]) -> bool:
        """Whether a token spells the word that the rest of the text begins with, in capitals or not.

        Args:
            place: after the token.
        """
        letters = self._tokenizer.decode([token]).lower()
        written = self._tokenizer.decode(rest).lower()
        if not letters.strip().isalpha() or not written.startswith(letters):
            return False
        ends_there = not written[len(letters) : len(letters) + 1].isalnum()
        return ends_there if place.ends else True

    def _scored(self, start: _Start, tokens: Sequence[int], known: KnownTokens) -> float:
        """The log-probability of a sentence; minus infinity where it would cost too much to know."""
        if start.place is None:
            return start.log_probability
        if known.passes >= MOST_PASSES:
            return -math.inf
        left = tokens[len(start.tokens) :]
        return start.log_probability + known.log_probability(start.tokens, left)

    def _others(
        self, starts: Sequence[_Start], text: Sequence[int]
    ) -> Iterator[tuple[_Start, Sequence[int]]]:
        """The sentences that part from the text by a word, each with where it does so."""
        for start in starts[:MOST_STARTS]:
            if start.place is None:
                yield start, start.tokens
                continue
            for word, place in itertools.islice(self._words(start.place), MOST_WORDS):
                for rest in self._rests(place, text, start.at):
                    yield start, (*start.tokens, *word, *rest)

    def _meaning(self, tokens: Sequence[int]) -> Hashable | None:
        return self._sentences.meaning(self._tokenizer.decode(tokens))

    def _words(self, place: Place) -> Iterator[tuple[tuple[int, ...], Place]]:
        """The ways to the end of the word that a place is in: tokens, and the place after them."""
        if place.ends or place.is_closed:
            yield (), place
        for token, after in place.branches.items():
            for rest, end in self._words(after):
                yield (token, *rest), end

    def _rests(self, place: Place, text: Sequence[int], at: int) -> Iterator[Sequence[int]]:
        """What may follow of the text, to the end of a sentence: with its word there, and without.

        Args:
            at: index of the text's token for which, or before which, another one stands.
        """
        if place.is_closed:
            yield ()
            return
        ends = [at]
        if at < len(text) and not self._is_mark(text[at]):
            ends.append(at + 1)
            while ends[-1] < len(text) and self._continues(text[ends[-1]]):
                ends.append(ends[-1] + 1)
        for end in ends:
            if self._may_follow(place, text[end:]):
                yield text[end:]

    def _continues(self, token: int) -> bool:
        """Whether a token belongs to the word of the one before it."""
        return not (self._is_mark(token) or self._tokenizer.decode([token]).startswith(" "))

    def _is_mark(self, token: int) -> bool:
        return self._tokenizer.decode([token]) in {".", "?", "!"}


def _is_end(place: Place | None) -> bool:
    """Whether a text is over at a place; no place: after the end of text."""
    return place is None or place.is_closed
