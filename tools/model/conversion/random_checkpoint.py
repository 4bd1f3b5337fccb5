"""Makes a checkpoint with seeded random weights, in Hugging Face layout; see tools/random_checkpoint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rtap.errors import ConfigurationError
from tools.model.conversion.staging import StagedDirectory

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import WhisperConfig, WhisperForConditionalGeneration


class Size(NamedTuple):
    """What tells one size of Whisper from another."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    languages: int = 99
    tokens: int = 448
    """Longest text and its prompt."""


SIZES = {
    "tiny": Size(384, 6, 4, 4),
    "base": Size(512, 8, 6, 6),
    "small": Size(768, 12, 12, 12),
    "medium": Size(1024, 16, 24, 24),
    "large-v3": Size(1280, 20, 32, 32, mels=128, languages=100),
    "large-v3-turbo": Size(1280, 20, 32, 4, mels=128, languages=100),
    # Not OpenAI's: small enough for tests, with large-v3's mel bins and vocabulary, and the least that runs.
    "large-v3-mini": Size(256, 4, 4, 2, mels=128, languages=100),
    "mini": Size(64, 4, 2, 2),
}


def make_checkpoint(output: Path, size: Size, *, seed: int, tokenizer: Tokenizer) -> None:
    """Write config, weights (fp32 safetensors), generation config, preprocessor config and tokenizer.

    Raises:
        ConfigurationError: the output exists already.
    """
    import torch
    from transformers import WhisperForConditionalGeneration

    if output.exists():
        raise ConfigurationError(f"{output} exists already: remove it or choose another place")
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(_config(size, tokenizer)).eval()
    _enliven(model)
    _fill_generation_config(model, tokenizer)

    def save(output: Path) -> None:
        model.save_pretrained(output)
        (output / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
        preprocessor = {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": size.mels,
            "sampling_rate": 16000,
            "n_fft": 400,
            "hop_length": 160,
            "chunk_length": 30,
        }
        (output / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")

    made_of = f"{size} {seed} {tokenizer.to_str()}"
    fingerprint = hashlib.sha256(made_of.encode()).hexdigest()
    with StagedDirectory(output, fingerprint, replace=False) as staged:
        staged.step("checkpoint", save)
        staged.commit()


def _config(size: Size, tokenizer: Tokenizer) -> WhisperConfig:
    from transformers import WhisperConfig

    end = tokenizer.token_to_id("<|endoftext|>")
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
        num_mel_bins=size.mels,
        d_model=size.width,
        encoder_layers=size.encoder_layers,
        encoder_attention_heads=size.heads,
        encoder_ffn_dim=4 * size.width,
        decoder_layers=size.decoder_layers,
        decoder_attention_heads=size.heads,
        decoder_ffn_dim=4 * size.width,
        max_target_positions=size.tokens,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        eos_token_id=end,
        bos_token_id=end,
        pad_token_id=end,
    )


def _enliven(model: WhisperForConditionalGeneration) -> None:
    """Give greedy decoding variety without making the network chaotic.

    Positions that stand out keep the tokens changing, and sharp cross-attention makes them depend on the
    audio. Gains were found by trial: 25 to 60 different tokens in 100 steps, few of them in common between
    two pieces of audio, and a logit error of four times the error of the weights. With larger gains any
    rounding grows until every token differs, and quantisation could no longer be judged.
    """
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_tokens" in name:
                parameter.normal_(0, 0.06)
            elif "decoder.embed_positions" in name:
                parameter.normal_(0, 4.0)
            elif "embed" not in name and parameter.ndim >= 2:
                parameter.normal_(0, _gain(name) / parameter[0].numel() ** 0.5)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.05)


def _gain(name: str) -> float:
    """Factor on the usual scale of one over the square root of the inputs."""
    if name.endswith(("encoder_attn.q_proj.weight", "encoder_attn.k_proj.weight")):
        return 3.0
    if name.endswith(("q_proj.weight", "k_proj.weight")) or ".decoder." in name:
        return 2.0
    return 1.0


def _fill_generation_config(model: WhisperForConditionalGeneration, tokenizer: Tokenizer) -> None:
    ids = tokenizer.get_vocab(with_added_tokens=True)
    config = model.generation_config
    # transformers would take the file for a copy of config.json, and ignore it.
    config._from_model_config = False  # noqa: SLF001
    config.is_multilingual = "<|de|>" in ids
    config.no_timestamps_token_id = ids["<|notimestamps|>"]
    config.begin_suppress_tokens = [
        *tokenizer.encode(" ", add_special_tokens=False).ids,
        ids["<|endoftext|>"],
    ]
    config.suppress_tokens = sorted(
        ids[token]
        for token in (
            "<|startoftranscript|>",
            "<|translate|>",
            "<|transcribe|>",
            "<|startoflm|>",
            "<|startofprev|>",
            "<|nospeech|>",
        )
        if token in ids
    )
    layers, heads = model.config.decoder_layers, model.config.decoder_attention_heads
    config.alignment_heads = [
        [layer, 0] for layer in range(layers // 2, layers) for _ in range(heads > 0)
    ]
