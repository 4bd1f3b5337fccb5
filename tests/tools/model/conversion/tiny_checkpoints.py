"""Whisper checkpoints of some hundred kilobytes, in any shape that a user's may have."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from tools.model.conversion.random_checkpoint import _enliven
from tools.model.conversion.tokenizer_from_ranks import tokenizer_from_ranks

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHAPE: dict[str, Any] = {
    "num_mel_bins": 80,
    "d_model": 32,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 64,
    # 2 s instead of 30: comparisons then take a fraction of a second.
    "max_source_positions": 100,
    "max_target_positions": 48,
}
MERGED = ["he", " t", "in", "ing"]


def tiny_tokenizer(scratch: Path, *, multilingual: bool = True) -> Tokenizer:
    """Bytes and a few words, with all of Whisper's special tokens after them."""
    tokens = [*(bytes([byte]) for byte in range(256)), *(text.encode() for text in MERGED)]
    lines = [base64.b64encode(token) + b" %d" % rank for rank, token in enumerate(tokens)]
    ranks = scratch / "tiny.tiktoken"
    ranks.write_bytes(b"\n".join(lines))
    return tokenizer_from_ranks(ranks, multilingual=multilingual)


def tiny_model(
    tokenizer: Tokenizer, *, seed: int = 0, **shape: Any
) -> WhisperForConditionalGeneration:
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        **{"vocab_size": tokenizer.get_vocab_size(with_added_tokens=True), **SHAPE, **shape},
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        eos_token_id=end,
        bos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(config).eval()
    _enliven(model)
    return model


def tiny_checkpoint(
    path: Path, *, seed: int = 0, multilingual: bool = True, **shape: Any
) -> WhisperForConditionalGeneration:
    """Write a whole checkpoint to ``path`` and return the model that is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer(path.parent, multilingual=multilingual)
    model = tiny_model(tokenizer, seed=seed, **shape)
    model.generation_config.is_multilingual = multilingual
    model.save_pretrained(path)
    tokenizer.save(str(path / "tokenizer.json"))
    feature_size = model.config.num_mel_bins
    (path / "preprocessor_config.json").write_text(json.dumps({"feature_size": feature_size}))
    return model
