"""What every engine is told before the first token: the language, to transcribe, no timestamps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDED: Final = (30.0,)
"""The context of an engine that encodes 30 s once, whatever the recording's length."""
_SPECIAL: Final = "<|endoftext|>"
"""The first of the tokens that are no text."""


class Words:
    """The tokenizer beside some weights."""

    def __init__(self, weights: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
        self._end = self._tokenizer.token_to_id(_SPECIAL)
        self.is_multilingual = _is_multilingual(weights)

    def prompt(self, language: str) -> list[int]:
        """Numbers of the tokens before the text."""
        tokens = ["<|startoftranscript|>", "<|notimestamps|>"]
        if self.is_multilingual:
            tokens[1:1] = [f"<|{language}|>", "<|transcribe|>"]
        return [self._tokenizer.token_to_id(token) for token in tokens]

    def text(self, tokens: list[int]) -> str:
        """Of the tokens that are text."""
        found: str = self._tokenizer.decode([token for token in tokens if token < self._end])
        return found


def _is_multilingual(weights: Path) -> bool:
    path = weights / "generation_config.json"
    return bool(json.loads(path.read_text(encoding="utf-8")).get("is_multilingual", True))
