"""Sees where the text that is being decoded could have gone another way within the expected sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.preference.search import Bounds, Path
from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.token_rules import NEVER


@dataclass(frozen=True, slots=True)
class Fork:
    """A token of the text, and what a sentence may have in its place."""

    place: Place
    """Where the tokens before it lead."""
    before: float
    """Log-probability of the tokens before it."""
    others: NDArray[np.float32]
    """The same with each of the ways to go on from there, and with the end of text [ways + 1]. Minus infinity
    for the token itself, and for the end where no sentence ends."""


class Trail:
    """Implements :class:`rtap.whisper.decode.Observer` for greedy decoding; costs some lookups a token."""

    def __init__(self, graph: TokenGraph, end_of_text: int) -> None:
        self._graph = graph
        self._end_of_text = end_of_text
        self._place: Place | None = graph.start
        self._sum = 0.0
        self.forks: list[Fork] = []
        """One for each token, until the text leaves the sentences."""

    def see(self, scores: NDArray[np.float32], log_mass: float, chosen: int) -> None:
        """See :class:`rtap.whisper.decode.Observer`."""
        if self._place is None:
            return
        ways = self._graph.ways(self._place)
        offset = self._sum - log_mass
        tokens = np.append(ways.tokens, self._end_of_text)
        others = scores[tokens] + np.float32(offset)
        others[tokens == chosen] = NEVER
        if not ways.may_end:
            others[-1] = NEVER
        self.forks.append(Fork(self._place, self._sum, others))
        self._place = ways.after(chosen)
        self._sum = offset + float(scores[chosen])

    def start(self, tokens: Sequence[int], bounds: Bounds) -> Path | None:
        """Where all sentences that are likely enough leave the text; None: there are none.

        Args:
            tokens: the text.
        """
        forks = [
            (index, fork, likely)
            for index, fork in enumerate(self.forks)
            if (likely := fork.others >= bounds.floor(index + 1)).any()
        ]
        if not forks:
            return None
        index, fork, likely = forks[0]
        ways = np.flatnonzero(likely[:-1])
        if len(forks) > 1 or likely[-1] or ways.size > 1:
            return Path(tuple(tokens[:index]), fork.before, fork.place)
        # There is a single one: its token can be part of the prompt.
        (way,) = ways.tolist()
        found = self._graph.ways(fork.place)
        return Path(
            (*tokens[:index], int(found.tokens[way])), float(fork.others[way]), found.places[way]
        )
