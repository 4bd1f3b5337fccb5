"""Partial results that are never taken back, from hypotheses that change their mind.

While somebody speaks, the utterance so far is transcribed again and again, and every hypothesis may differ
from the one before. A word is confirmed when two successive hypotheses agree on it and on all before it
(LocalAgreement-2: Liu et al. 2020, Machacek et al. 2023). Confirmed text only ever grows.

The final transcript is a message of its own and is right even where it contradicts what was confirmed: who
shows partial text replaces it by the final one.
"""

from __future__ import annotations

import re
from typing import Final

_NO_SPACES: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
)
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters: nothing parts words there, each counts as one."""
_WORDS: Final = re.compile(rf"\s*(?:[{_NO_SPACES}]|[^\s{_NO_SPACES}]+)")
"""With the space before them, so that joining them gives the text again."""
_PUNCTUATION: Final = ".,;:!?…\"'“”„‘’«»()[]¿¡—–、。，！？：；「」『』"


class LocalAgreement:
    """The partial text of one utterance after the other. For one thread at a time."""

    def __init__(self) -> None:
        self._previous: list[str] = []
        self._confirmed: list[str] = []

    def push(self, hypothesis: str) -> str | None:
        """Take the transcript of all that was said so far.

        The last word of a hypothesis is not confirmed: it may be half of one that is still being said. A
        hypothesis that revises confirmed words is followed if it has the last of them at the same place;
        otherwise nothing is confirmed until one does.

        Returns:
            All confirmed text, when there is more of it than before: what was returned last, and something
            appended. None otherwise.
        """
        words = _WORDS.findall(hypothesis.strip())
        agreed = _agreed(self._previous, words[:-1])
        self._previous = words
        there = len(self._confirmed)
        if agreed <= there:
            return None
        if there and _key(words[there - 1]) != _key(self._confirmed[-1]):
            return None
        self._confirmed += words[there:agreed]
        return "".join(self._confirmed)

    def finish(self, final: str) -> str:
        """End the utterance: what is pushed next belongs to another one.

        Returns:
            The text for the final message: the final transcript, whatever was confirmed.
        """
        self._previous, self._confirmed = [], []
        return final.strip()


def _agreed(one: list[str], other: list[str]) -> int:
    """With how many equal words both begin."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if _key(first) != _key(second):
            break
        count += 1
    return count


def _key(word: str) -> str:
    """What is compared: neither case nor punctuation around the word; punctuation alone is itself."""
    bare = word.strip()
    return (bare.strip(_PUNCTUATION) or bare).casefold()
