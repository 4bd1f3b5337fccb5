"""The model's vocabulary: byte pairs learnt from the grammar's sentences, and Whisper's special tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE

_PIECES: Final = 640
"""Byte-level pieces, the 256 bytes included."""
_SPECIAL: Final = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
PROMPT: Final = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
"""What decoding starts with."""


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Learn the pieces; texts are encoded with a leading space, as Whisper does."""
    tokenizer = Tokenizer(BPE(fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_PIECES,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((f" {text}" for text in texts), trainer)
    tokenizer.add_special_tokens(
        [AddedToken(name, normalized=False, special=True) for name in _SPECIAL]
    )
    return tokenizer
