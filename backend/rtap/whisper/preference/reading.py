"""Reads guesses of sentences at once, before they are searched token by token.

A run of the decoder over the ten tokens of a sentence takes little more time than one over a single token.
So a beginning that was nearly said is read together with a guess of how it goes on; mostly, that is the
sentence.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.preference.guide import Guess, Guide
from rtap.whisper.preference.known_tokens import KnownTokens
from rtap.whisper.preference.search import LENGTH_BONUS, Bounds, Found, Path
from rtap.whisper.preference.token_graph import TokenGraph, Ways

DEPTH_BONUS: Final = 1.4
"""Natural log of probability that a token is worth where beginnings are compared; the one that is worth most
is read next. Chosen, with the next four, so that people's and synthesised commands take few runs."""
CHANGE: Final = 0.15
"""By how much each letter in which a guess is unlike the text makes a beginning worth less."""
LEAST_LIKENESS: Final = 0.5
"""Of a guess to the text, from 0 to 1; with less it is not read."""
LEAST_HOPE: Final = 0.3
"""The same, with less than which a whole sentence is no reason to search. "Right" is so like to "shite"."""
LACKING: Final = 1
"""Tokens by which a sentence may be longer than guessed."""
MOST_RUNS: Final = 3
"""Runs of the decoder; each takes the time of one and a half steps of a single sequence."""
SPELLING: Final = 0.7
"""A beginning is given up if the same words, in capitals or not, are likelier by so much."""


class Reading:
    """Reads guesses for one text.

    Args:
        guide: makes the guesses.
        known: scores them by the audio.
    """

    def __init__(
        self,
        graph: TokenGraph,
        guide: Guide,
        known: KnownTokens,
        end_of_text: int,
        bounds: Bounds,
    ) -> None:
        self._graph = graph
        self._guide = guide
        self._known = known
        self._end_of_text = end_of_text
        self._bounds = bounds
        self._waiting: list[tuple[float, int, Path, Guess | None]] = []
        """A heap of beginnings, those that are worth most first."""
        self._counter = itertools.count()
        self._best: Found | None = None
        self._words = ""
        """Of the best sentence, as in :class:`Guess`."""
        self.is_hopeful = False
        """Whether a sentence that was not guessed may be like the text."""

    def best(self, starts: Iterable[Path], ends: Iterable[Found]) -> Found | None:
        """The sentence that is worth most of those that were guessed, or None where none is accepted.

        Args:
            starts: beginnings of sentences.
            ends: whole sentences that are known.
        """
        for found in ends:
            self._end(found)
        for path in starts:
            self._wait(path)
        runs = 0
        while self._waiting and runs < MOST_RUNS:
            _, _, path, guess = heapq.heappop(self._waiting)
            if path.log_probability < self._floor(path, "" if guess is None else guess.words):
                continue
            if guess is None:
                self._guess(path)
            else:
                self._read(path, guess)
                runs += 1
        return self._best

    def _floor(self, path: Path, words: str = "") -> float:
        """Log-probability below which a beginning is given up.

        Args:
            words: those that are guessed; in other letters the same are worth a run if they are likelier.
        """
        floor = self._bounds.floor(max(1, len(path.tokens)))
        if self._best is None:
            return floor
        if words == self._words:
            return self._best.log_probability + 2 * SPELLING
        return max(floor, self._best.worth - LENGTH_BONUS * (self._best.length + LACKING))

    def _end(self, found: Found) -> None:
        if self._bounds.accepts(found) and (self._best is None or found.worth > self._best.worth):
            self._best = found
            self._words = self._guide.words(found.tokens)

    def _wait(self, path: Path) -> None:
        """Note a beginning. How it goes on is guessed only when its turn comes: that opens the grammar."""
        if path.log_probability >= self._floor(path):
            worth = path.log_probability + DEPTH_BONUS * len(path.tokens)
            heapq.heappush(self._waiting, (-worth, next(self._counter), path, None))

    def _guess(self, path: Path) -> None:
        """Put a beginning back at its place, if a sentence that is like the text may follow from it."""
        length = len(path.tokens)
        guess = self._guide.guess(self._graph, path, self._bounds.longest - 1 - length)
        if guess.is_whole:
            self.is_hopeful |= guess.likeness >= LEAST_HOPE
        elif self._guide.has_words:
            self.is_hopeful |= guess.likeness >= LEAST_LIKENESS
        if not self._guide.has_words:
            # Letters say little of a single word, as "pause" for "offers"; but few words can make up for
            # what it is less likely, which its full stop and its end do not.
            short = self._bounds.least(length + 2 + LACKING)
            self.is_hopeful |= path.log_probability >= short
        # The sentence and its end, and what the guess may lack.
        whole = length + len(guess.tokens) + 1 + LACKING
        if (
            guess.is_whole
            and guess.likeness >= LEAST_LIKENESS
            and path.log_probability >= self._bounds.least(whole)
        ):
            worth = path.log_probability + DEPTH_BONUS * length - CHANGE * guess.changes
            heapq.heappush(self._waiting, (-worth, next(self._counter), path, guess))

    def _read(self, path: Path, guess: Guess) -> None:
        """Have the decoder read a beginning and its guess; note all that it shows."""
        scores = self._known.following([*path.tokens, *guess.tokens], len(path.tokens))
        following: Path | None = path
        for row, token in zip(scores, (*guess.tokens, None), strict=True):
            if following is None:
                return
            path = following
            ways = self._graph.ways(path.place)
            if ways.may_end:
                end = float(row[self._end_of_text])
                self._end(Found(path.tokens, path.log_probability + end))
            totals = row[ways.tokens] + np.float32(path.log_probability)
            following = self._branch(path, ways, totals, token)

    def _branch(
        self, path: Path, ways: Ways, totals: NDArray[np.float32], guessed: int | None
    ) -> Path | None:
        """Note the ways to go on that were not guessed; returns the one that was, if it is likely enough."""
        following = None
        for way in np.flatnonzero(totals >= self._bounds.floor(len(path.tokens) + 1)).tolist():
            token = int(ways.tokens[way])
            after = Path((*path.tokens, token), float(totals[way]), ways.places[way])
            if token == guessed:
                following = after
            else:
                self._wait(after)
        return following
