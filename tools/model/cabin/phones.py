"""How words are pronounced, as espeak-ng says: the targets of the auxiliary loss."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from typing import Final

from tools.model.cabin.synthesis import require

_STRESS: Final = str.maketrans("", "", "ˈˌ")
_ACCENT: Final = "en-us"


class Phones:
    """Numbers the phones of a lexicon from 1; 0 is CTC's blank.

    Args:
        lexicon: phones by word.
    """

    def __init__(self, lexicon: Mapping[str, tuple[str, ...]]) -> None:
        names = sorted({phone for phones in lexicon.values() for phone in phones})
        self._numbers = {name: number for number, name in enumerate(names, start=1)}
        self._lexicon = lexicon

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, text: str) -> list[int]:
        """Numbers of the phones of a text, word by word."""
        words = text.replace(",", "").split()
        return [self._numbers[phone] for word in words for phone in self._lexicon[word]]


def pronounce(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Phones of words by themselves, in American English, without stress.

    Raises:
        ConfigurationError: espeak-ng is not installed.
    """
    require(["espeak-ng"])
    lexicon = {}
    for word in words:
        command = ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", _ACCENT, "--", word]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        phones = done.stdout.translate(_STRESS).replace(" ", "_").split("_")
        lexicon[word] = tuple(phone for phone in map(str.strip, phones) if phone)
    return lexicon
