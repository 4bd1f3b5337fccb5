"""Sees where the text that is being decoded could have gone another way within the expected sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.token_rules import NEVER


@dataclass(frozen=True, slots=True)
class Fork:
    """A token of the text, with the place that the tokens before it lead to."""

    place: Place
    before: float
    """Log-probability of the tokens before it."""
    other: float
    """The same with the likeliest other token that a sentence may have here."""


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
        others = scores[ways.tokens[ways.tokens != chosen]]
        other = others.max(initial=NEVER)
        if ways.may_end and chosen != self._end_of_text:
            other = max(other, scores[self._end_of_text])
        self.forks.append(Fork(self._place, self._sum, self._sum + float(other) - log_mass))
        self._place = ways.after(chosen)
        self._sum += float(scores[chosen]) - log_mass
