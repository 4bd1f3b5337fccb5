"""Tokens of single words, by the vocabulary alone.

The library that encodes any text takes 0.3 s of a processor and 50 MB when it is first used. Words need no
more than what OpenAI's tiktoken does: of two neighbours that make a token together, those are joined first
whose token has the lowest number, since Whisper's vocabulary is in the order of its merges.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Final

_PARTS: Final = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
)
"""Tokens never reach from one of these into the next; GPT-2's expression, without Unicode classes."""


class WordTokens:
    """Encodes words.

    Args:
        vocabulary: the numbers of byte-level tokens.
        characters: what stands for each byte in them.
    """

    def __init__(self, vocabulary: Mapping[str, int], characters: Callable[[int], str]) -> None:
        self._vocabulary = vocabulary
        self._characters = characters

    def encode(self, word: str) -> tuple[int, ...]:
        """Token ids of a word, with the space before it if there is one."""
        return tuple(token for part in _PARTS.findall(word) for token in self._encode(part))

    def _encode(self, part: str) -> list[int]:
        pieces = [self._characters(byte) for byte in part.encode()]
        while len(pieces) > 1:
            ranks = [self._vocabulary.get(one + other) for one, other in itertools.pairwise(pieces)]
            known = [(rank, index) for index, rank in enumerate(ranks) if rank is not None]
            if not known:
                break
            _, index = min(known)
            pieces[index : index + 2] = [pieces[index] + pieces[index + 1]]
        return [self._vocabulary[piece] for piece in pieces]
