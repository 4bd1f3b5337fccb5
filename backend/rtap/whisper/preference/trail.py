"""Sees where the text that is being decoded could have gone another way within the expected sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.preference.search import Bounds, Found, Path
from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.token_rules import NEVER


@dataclass(frozen=True, slots=True)
class Fork:
    """A token of the text, and what a sentence may have in its place."""

    place: Place
    """Where the tokens before it lead."""
    before: float
    """Log-probability of the tokens before it."""
    after: float
    """The same with the token."""
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
        self._is_sentence = False
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
        after = offset + float(scores[chosen])
        self.forks.append(Fork(self._place, self._sum, after, others))
        self._is_sentence = chosen == self._end_of_text and ways.may_end
        self._place = ways.after(chosen)
        self._sum = after

    @property
    def is_sentence(self) -> bool:
        """Whether the text was one of the sentences to its end."""
        return self._is_sentence

    def branches(self, tokens: Sequence[int], bounds: Bounds) -> tuple[list[Path], list[Found]]:
        """The likely enough ways in which sentences leave the text, and those that end within it.

        Args:
            tokens: the text.
        """
        starts: list[Path] = []
        ends: list[Found] = []
        for index, fork in enumerate(self.forks):
            before = tuple(tokens[:index])
            ways = self._graph.ways(fork.place)
            for way in np.flatnonzero(fork.others >= bounds.floor(index + 1)).tolist():
                log_probability = float(fork.others[way])
                if way == ways.tokens.size:
                    ends.append(Found(before, log_probability))
                else:
                    after = (*before, int(ways.tokens[way]))
                    starts.append(Path(after, log_probability, ways.places[way]))
        return starts, ends

    def start(self, tokens: Sequence[int], starts: Sequence[Path]) -> Path:
        """What some of the :meth:`branches` have in common, as far as it is text; one of them is itself."""
        if len(starts) == 1:
            return starts[0]
        index = min(len(path.tokens) for path in starts) - 1
        fork = self.forks[index]
        return Path(tuple(tokens[:index]), fork.before, fork.place)
