"""Writes a Whisper checkpoint as the one file that whisper.cpp loads, with weights in q8_0.

The file holds, all little-endian: a magic number, eleven sizes, the mel filters, the vocabulary's bytes, and
then one tensor after the other, each with a header. q8_0 cuts the rows of a matrix into blocks of 32 values:
one half-precision scale and 32 signed bytes. Which tensors stay in full or half precision is whisper.cpp's
choice, and its loader takes no other.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ModelError
from rtap.whisper.features import mel_filters
from rtap.whisper.tokenizer import characters_of_bytes
from tools.model.conversion.checkpoint import Checkpoint

MAGIC: Final = 0x67676D6C
BLOCK: Final = 32
"""Values that share a scale in q8_0."""
F32, F16, Q8_0 = 0, 1, 8
"""ggml's numbers of the types of a tensor."""

_FILE_TYPE = 7
"""Mostly q8_0."""
_QUANTIZATION_VERSION = 2
_VERSION_FACTOR = 1000
"""The file's type and the version of the quantisation share a number."""
_END_OF_TEXT = "<|endoftext|>"
_LARGEST = 127

_OUTSIDE_LAYERS = {
    "encoder.conv1.weight": "encoder.conv1.weight",
    "encoder.conv1.bias": "encoder.conv1.bias",
    "encoder.conv2.weight": "encoder.conv2.weight",
    "encoder.conv2.bias": "encoder.conv2.bias",
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "encoder.layer_norm.weight": "encoder.ln_post.weight",
    "encoder.layer_norm.bias": "encoder.ln_post.bias",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.layer_norm.weight": "decoder.ln.weight",
    "decoder.layer_norm.bias": "decoder.ln.bias",
}
_PARTS_OF_ATTENTION = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}
_PARTS_OF_LAYER = {"fc1": "mlp.0", "fc2": "mlp.2", "final_layer_norm": "mlp_ln"}


def write_ggml(checkpoint: Checkpoint, output: Path) -> None:
    """Write ``output``, about a quarter of the checkpoint's fp32 size.

    Raises:
        ModelError: a matrix cannot be cut into blocks, or a tensor is missing.
    """
    config = checkpoint.config
    if config.d_model % BLOCK:
        raise ModelError(
            f"{checkpoint.source} is {config.d_model} wide, and q8_0 takes multiples of {BLOCK}: "
            f"choose another checkpoint"
        )
    if not checkpoint.ties_embeddings:
        raise ModelError(
            f"{checkpoint.source} has an output projection of its own, for which whisper.cpp has no "
            f"place: choose another checkpoint"
        )
    with output.open("wb") as file:
        _write_sizes(checkpoint, file)
        filters = mel_filters(config.num_mel_bins).astype("<f4")
        file.write(struct.pack("<2i", *filters.shape))
        file.write(filters.tobytes())
        _write_vocabulary(checkpoint.path / "tokenizer.json", file)
        for name, stored_as in _names(checkpoint):
            _write_tensor(stored_as, checkpoint.tensor(name), file)


def dequantized(data: bytes, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The values of a q8_0 tensor, ``shape`` outermost first."""
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("values", "i1", BLOCK)]))
    values = blocks["scale"].astype(np.float32)[:, np.newaxis] * blocks["values"]
    result: NDArray[np.float32] = values.astype(np.float32).reshape(shape)
    return result


def quantized(values: NDArray[np.float32]) -> bytes:
    """Values as q8_0; the innermost axis is a multiple of :data:`BLOCK`."""
    rows = values.reshape(-1, BLOCK)
    scales = np.abs(rows).max(axis=1) / _LARGEST
    blocks = np.empty(len(rows), np.dtype([("scale", "<f2"), ("values", "i1", BLOCK)]))
    blocks["scale"] = scales
    # A block of zeros has no scale to divide by.
    factors = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    blocks["values"] = np.rint(rows * factors[:, np.newaxis])
    return blocks.tobytes()


def _write_sizes(checkpoint: Checkpoint, file: BinaryIO) -> None:
    config = checkpoint.config
    file.write(
        struct.pack(
            "<I11i",
            MAGIC,
            config.vocab_size,
            config.max_source_positions,
            config.d_model,
            config.encoder_attention_heads,
            config.encoder_layers,
            config.max_target_positions,
            config.d_model,
            config.decoder_attention_heads,
            config.decoder_layers,
            config.num_mel_bins,
            _QUANTIZATION_VERSION * _VERSION_FACTOR + _FILE_TYPE,
        )
    )


def _write_vocabulary(tokenizer: Path, file: BinaryIO) -> None:
    """The text tokens as bytes; whisper.cpp knows the special ones behind them by their number."""
    document = json.loads(tokenizer.read_text(encoding="utf-8"))
    by_token: dict[str, int] = document["model"]["vocab"]
    ids = {id_: token for token, id_ in by_token.items() if token != _END_OF_TEXT}
    bytes_of = {character: byte for byte, character in enumerate(characters_of_bytes())}
    file.write(struct.pack("<i", max(ids) + 1))
    for id_ in range(max(ids) + 1):
        text = bytes(bytes_of[character] for character in ids.get(id_, ""))
        file.write(struct.pack("<i", len(text)))
        file.write(text)


def _names(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """(transformers' name, whisper.cpp's name) of every tensor."""
    yield from _OUTSIDE_LAYERS.items()
    config = checkpoint.config
    for half, layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        attentions = {"self_attn": "attn"}
        if half == "decoder":
            attentions["encoder_attn"] = "cross_attn"
        for index in range(layers):
            for name, stored_as in _names_in_layer(attentions):
                yield f"{half}.layers.{index}.{name}", f"{half}.blocks.{index}.{stored_as}"


def _names_in_layer(attentions: dict[str, str]) -> Iterator[tuple[str, str]]:
    parts = dict(_PARTS_OF_LAYER)
    for name, stored_as in attentions.items():
        parts[f"{name}_layer_norm"] = f"{stored_as}_ln"
        for part, stored_part in _PARTS_OF_ATTENTION.items():
            parts[f"{name}.{part}"] = f"{stored_as}.{stored_part}"
    for name, stored_as in parts.items():
        yield f"{name}.weight", f"{stored_as}.weight"
        if not name.endswith("k_proj"):  # the keys of Whisper's attention have no bias
            yield f"{name}.bias", f"{stored_as}.bias"


def _write_tensor(name: str, values: NDArray[np.float32], file: BinaryIO) -> None:
    if name.startswith("encoder.conv") and name.endswith("bias"):
        values = values[:, np.newaxis]  # whisper.cpp adds it along the frames
    kind, data = _stored(name, values)
    encoded = name.encode()
    file.write(struct.pack("<3i", values.ndim, len(encoded), kind))
    file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)))
    file.write(encoded)
    file.write(data)


def _stored(name: str, values: NDArray[np.float32]) -> tuple[int, bytes]:
    if values.ndim == 3:
        return F16, values.astype("<f2").tobytes()
    if values.ndim == 1 or name.endswith(("bias", "positional_embedding")):
        return F32, values.astype("<f4").tobytes()
    return Q8_0, quantized(values)
