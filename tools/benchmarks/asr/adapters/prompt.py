"""What every engine is told before the first token: English, transcribe, no timestamps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROMPT: Final = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
LANGUAGE: Final = "en"


def prompt_ids(weights: Path) -> list[int]:
    """The prompt by the numbers in ``tokenizer.json`` beside the weights."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    return [tokenizer.token_to_id(token) for token in PROMPT]
