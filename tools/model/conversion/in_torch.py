"""A checkpoint as transformers' network, for what compares with it or trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtap.errors import ModelError
from tools.model.conversion.checkpoint import Checkpoint

if TYPE_CHECKING:
    from transformers import WhisperForConditionalGeneration


def load_network(
    checkpoint: Checkpoint, attention: str = "eager"
) -> WhisperForConditionalGeneration:
    """The network in fp32, in evaluation mode.

    transformers reads its own layout itself, so that a comparison with it also proves our reading.

    Args:
        attention: which of transformers' implementations computes it.

    Raises:
        ModelError: transformers cannot load it.
        ImportError: torch or transformers is not installed.
    """
    import torch
    from transformers import WhisperForConditionalGeneration

    if checkpoint.is_remade:
        return _filled(checkpoint, attention)
    try:
        network: WhisperForConditionalGeneration = WhisperForConditionalGeneration.from_pretrained(
            checkpoint.path, dtype=torch.float32, attn_implementation=attention
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"transformers cannot load {checkpoint.path} ({reason}): download the checkpoint again"
        ) from error
    return network.eval()


def _filled(checkpoint: Checkpoint, attention: str) -> WhisperForConditionalGeneration:
    """A new network, every tensor of which is the checkpoint's."""
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(**checkpoint.config_json, attn_implementation=attention)
    with torch.device("meta"):  # what it would be filled with at random is thrown away
        network = WhisperForConditionalGeneration(config)
    tensors = {
        name if name == "proj_out.weight" else f"model.{name}": torch.from_numpy(
            checkpoint.tensor(name).copy()
        )
        for name in checkpoint.shapes()
    }
    tied = {"proj_out.weight"} if checkpoint.ties_embeddings else set()
    found = network.load_state_dict(tensors, strict=False, assign=True)
    if found.unexpected_keys or set(found.missing_keys) - tied:
        names = ", ".join(sorted({*found.unexpected_keys, *found.missing_keys} - tied))
        raise ModelError(
            f"{checkpoint.path} is no whole Whisper checkpoint ({names}): download it again"
        )
    network.tie_weights()
    generation = checkpoint.read_json("generation_config.json")
    network.generation_config = GenerationConfig.from_dict(generation)
    return network.eval()
