"""The likeliest of the expected sentences, by a beam search that never leaves them."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.decode import log_masses
from rtap.whisper.model import Decoding
from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.token_rules import TokenRules

BEAMS: Final = 8
"""Sequences that are followed at once. A step of them takes 1.4 times as long as one of a single sequence
(whisper-tiny.en and -base in int8)."""
LENGTH_BONUS: Final = 0.5
"""Natural log of probability that a token is worth where sentences of different length are compared."""


@dataclass(frozen=True, slots=True)
class Path:
    """The beginning of a sentence, with its place in the graph."""

    tokens: tuple[int, ...]
    log_probability: float
    place: Place


@dataclass(frozen=True, slots=True)
class Found:
    """An expected sentence."""

    tokens: tuple[int, ...]
    log_probability: float
    """Of all tokens, the end of text included."""

    @property
    def length(self) -> int:
        """Tokens, the end of text included."""
        return len(self.tokens) + 1

    @property
    def worth(self) -> float:
        """By which sentences are compared."""
        return self.log_probability + LENGTH_BONUS * self.length


class Bounds(Protocol):
    """What a sentence has to be."""

    @property
    def longest(self) -> int:
        """Most tokens of a sentence, the end of text included."""

    def floor(self, length: int) -> float:
        """Log-probability below which a beginning of so many tokens is given up."""

    def least(self, length: int) -> float:
        """Log-probability that a sentence of so many tokens has at least, the end of text included."""

    def accepts(self, found: Found) -> bool:
        """Whether a sentence is likely enough."""


class Search:
    """Searches the sentences of one graph.

    Args:
        rules: those that the text was decoded with.
    """

    def __init__(self, graph: TokenGraph, rules: TokenRules, end_of_text: int) -> None:
        self._graph = graph
        self._rules = rules
        self._end_of_text = end_of_text

    def best(
        self, decoding: Decoding, prompt: Sequence[int], start: Path, bounds: Bounds
    ) -> Found | None:
        """The sentence that is worth most, or None where none is accepted.

        Args:
            decoding: made for :data:`BEAMS` sequences, without a prompt yet.
            start: tokens that lead into the sentences, and are not to be changed.
        """
        tokens = [*prompt, *start.tokens]
        logits = decoding.prompt(tokens, [len(tokens) - 1])
        decoding.fan_out()
        paths = [start]
        best: Found | None = None
        while True:
            logits = logits[: len(paths)]
            self._rules.apply(logits, [path.tokens for path in paths])
            masses = log_masses(logits)
            best = self._ended(paths, logits, masses, bounds, best)
            floor = bounds.floor(len(paths[0].tokens) + 1)
            if best is not None:
                floor = max(floor, best.worth - LENGTH_BONUS * bounds.longest)
            longer = self._longer(paths, logits, masses, floor)
            if not longer or len(longer[0][1].tokens) >= bounds.longest:
                return best
            paths = [path for _, path in longer]
            # Rows without a path of their own go on as copies that nobody looks at.
            rows = [row for row, _ in longer] + [longer[0][0]] * (BEAMS - len(longer))
            chosen = [path.tokens[-1] for path in paths]
            chosen += chosen[:1] * (BEAMS - len(chosen))
            decoding.select(np.array(rows))
            logits = decoding.step(np.array(chosen))

    def _ended(
        self,
        paths: Sequence[Path],
        logits: NDArray[np.float32],
        masses: NDArray[np.float32],
        bounds: Bounds,
        best: Found | None,
    ) -> Found | None:
        """The best sentence so far, with those that end here."""
        ends = logits[:, self._end_of_text] - masses
        for path, end in zip(paths, ends.tolist(), strict=True):
            if self._graph.ways(path.place).may_end:
                found = Found(path.tokens, path.log_probability + end)
                if bounds.accepts(found) and (best is None or found.worth > best.worth):
                    best = found
        return best

    def _longer(
        self,
        paths: Sequence[Path],
        logits: NDArray[np.float32],
        masses: NDArray[np.float32],
        floor: float,
    ) -> list[tuple[int, Path]]:
        """The likeliest paths that are one token longer, with the rows that they continue.

        Args:
            floor: log-probability below which a path is given up.
        """
        found: list[tuple[float, int, int]] = []
        for row, path in enumerate(paths):
            chances = logits[row, self._graph.ways(path.place).tokens] - masses[row]
            totals = path.log_probability + chances
            likely = np.flatnonzero(totals >= floor)
            found += [(float(totals[way]), row, int(way)) for way in likely]
        longer = []
        for total, row, way in heapq.nlargest(BEAMS, found):
            ways = self._graph.ways(paths[row].place)
            tokens = (*paths[row].tokens, int(ways.tokens[way]))
            longer.append((row, Path(tokens, total, ways.places[way])))
        return longer
