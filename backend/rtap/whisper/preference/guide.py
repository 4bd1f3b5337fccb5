"""Guesses how a sentence goes on, by its likeness to the text that was heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from rtap.whisper.preference.token_graph import Place, TokenGraph
from rtap.whisper.tokenizer import WhisperTokenizer

if TYPE_CHECKING:
    from rtap.whisper.preference.search import Path

LEAST_LIKENESS: Final = 0.4
"""Of a word to one of the text, from 0 to 1; with less, nothing is guessed."""
_SKIPS: Final = np.array([[0.0], [0.15], [0.3]])
"""By how much words of the text that are left out make a later one less alike [words left out, 1]."""
_FIRST: Final = " .?!"
"""What a word or the end of a sentence begins with."""
_WORD: Final = re.compile(r" ?[^\s.,?!]+(?:[.,]\d+)?|[.?!]$")


@dataclass(frozen=True, slots=True)
class Guess:
    """How the beginning of a sentence may go on."""

    tokens: tuple[int, ...]
    """All within the sentences, at the most to the end of one."""
    is_whole: bool
    """Whether a sentence may end there."""
    words: str
    """The beginning with the guess, in lower case and without a mark at its end."""
    changes: int
    """Letters to be changed to make the words, in lower case, of a beginning of the text."""

    @property
    def likeness(self) -> float:
        """Of the words to those of the text, from 0 to 1."""
        return 1 - self.changes / max(1, len(self.words))


class Guide:
    """Guesses by one text.

    Args:
        heard: the text's tokens.
    """

    def __init__(self, tokenizer: WhisperTokenizer, heard: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._heard = self.text(heard)
        lower = self._heard.lower()
        self._beginnings = [lower[:end] for end in range(len(lower) + 1)]

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens write."""
        return self._tokenizer.decode(tokens)

    @property
    def has_words(self) -> bool:
        """Whether the text has several words."""
        return " " in self._heard.strip()

    def words(self, tokens: Sequence[int]) -> str:
        """As in :class:`Guess`."""
        return _plain(self.text(tokens))

    def guess(self, graph: TokenGraph, path: Path, most: int) -> Guess:
        """What may follow a beginning: at most so many tokens."""
        guessed: list[int] = []
        place: Place | None = path.place
        said = self.text(path.tokens)
        while place is not None:
            found = self._likest(graph, place, said)
            if found is None or len(guessed) + len(found[1]) > most:
                break
            text, tokens = found
            guessed += tokens
            said += text
            for token in tokens:
                place = None if place is None else graph.ways(place).after(token)
        is_whole = place is not None and graph.ways(place).may_end
        words = _plain(said)
        distances = cdist([words], self._beginnings, scorer=Levenshtein.distance)
        return Guess(tuple(guessed), is_whole, words, int(distances.min()))

    def _left(self, said: str) -> str:
        """The rest of the text, without that which the beginning of a sentence takes the place of."""
        distances = cdist([said.lower()], self._beginnings, scorer=Levenshtein.distance)
        return self._heard[int(distances.argmin()) :]

    def _likest(
        self, graph: TokenGraph, place: Place, said: str
    ) -> tuple[str, Sequence[int]] | None:
        """The text and tokens that end the last word, or are the next, and are alike to what comes next.

        Args:
            said: all before the place.
        """
        texts, ways = graph.words(place)
        if len(ways) == 1:
            return texts[0], ways[0]
        # What begins a word may be one as well, such as "can" and "cancel".
        begun = said[max(said.rfind(" "), 0) :]
        best: tuple[float, int] = (LEAST_LIKENESS, -1)
        for before, word in ((said, ""), (said[: len(said) - len(begun)], begun)):
            chosen = [way for way, text in enumerate(texts) if (text[0] in _FIRST) != bool(word)]
            following = _WORD.findall(self._left(before))[: len(_SKIPS)]
            if chosen and following:
                likeness = self._likeness(following, [word + texts[way] for way in chosen])
                way = int(likeness.argmax())
                best = max(best, (float(likeness[way]), chosen[way]))
        return None if best[1] < 0 else (texts[best[1]], ways[best[1]])

    @staticmethod
    def _likeness(following: Sequence[str], words: Sequence[str]) -> NDArray[np.float32]:
        """Of each of the words to the likest of those that come next in the text."""
        lower = [[word.lower() for word in some] for some in (following, words)]
        likeness = cdist(*lower, scorer=Levenshtein.normalized_similarity)
        likeness += 0.01 * cdist(following, words, scorer=Levenshtein.normalized_similarity)
        best: NDArray[np.float32] = (likeness - _SKIPS[: len(following)]).max(axis=0)
        return best


def _plain(text: str) -> str:
    return text.lower().rstrip(".?!")
