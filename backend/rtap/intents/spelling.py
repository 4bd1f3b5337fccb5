"""Brings a text into the form that templates are compared with: what Whisper writes, as it is spoken.

Whisper writes capitals, punctuation and symbols ("Set it to 21°C, please."). Templates hold spoken words
alone. What a language says for a symbol is data, ``spellings`` in its grammar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "‑": "-", "−": "-"})
_PUNCTUATION: Final = re.compile(
    r"""(?<!\d)[.,:]|[.,:](?!\d)     # a number keeps its decimal point, a time its colon
    |[!?;"„“”«»¿¡…()\[\]{}*_/\\–—]
    |(?<!\w)'|'(?!\w)                # quotes; those within a word stay
    |(?<=\w)-|-(?!\d)                # hyphens; a number keeps its sign
    """,
    re.VERBOSE,
)
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")


class Spelling:
    """The spelling of one language.

    Args:
        spoken: what is said for a symbol or a short form, such as ``{"%": "percent"}``, in any capitals.
    """

    def __init__(self, spoken: Mapping[str, str]) -> None:
        self.spoken: Final = {short.lower(): words.lower() for short, words in spoken.items()}
        longest_first = sorted(self.spoken, key=len, reverse=True)
        self._short = (
            re.compile(
                # Not within a word; a digit before it is no word: "21°C", "5km".
                r"(?<![^\W\d_])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![^\W_])"
            )
            if longest_first
            else None
        )

    def plain(self, text: str) -> str:
        """The text in lower case, as spoken, with single spaces and without punctuation."""
        text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES).lower()
        if self._short is not None:
            text = self._short.sub(lambda found: f" {self.spoken[found[0]]} ", text)
        text = _DECIMAL_COMMA.sub(".", text)
        return " ".join(_PUNCTUATION.sub(" ", text).split())
