"""Writes tiny checkpoints as CTranslate2 stores them, independently of the code that reads them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint

if TYPE_CHECKING:
    from transformers import WhisperForConditionalGeneration

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
SETTINGS = {
    "alignment_heads": [[0, 1]],
    "suppress_ids": [1, 2, 7],
    "suppress_ids_begin": [32],
}


def write_ctranslate2(
    path: Path, source: Path, model: WhisperForConditionalGeneration, dtype: str = "float16"
) -> None:
    """A directory with the same weights as the checkpoint ``source``, rounded to ``dtype``."""
    path.mkdir()
    variables = {
        name: array.astype(dtype) for name, array in variables_of(model.state_dict()).items()
    }
    heads = model.config.encoder_attention_heads, model.config.decoder_attention_heads
    for part, count in zip(("encoder", "decoder"), heads, strict=True):
        variables[f"{part}/num_heads"] = np.array(count, np.int16)
    variables["decoder/activation"] = np.array(3, np.int8)
    variables["decoder/pre_norm"] = np.array(1, np.int8)
    write_model(path / "model.bin", variables)
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    first, end = ids["<|startoftranscript|>"] + 1, ids["<|translate|>"]
    (path / "config.json").write_text(json.dumps({**SETTINGS, "lang_ids": [*range(first, end)]}))
    words = {**tokenizer["model"]["vocab"], **ids}
    (path / "vocabulary.txt").write_text("\n".join(sorted(words, key=words.__getitem__)))


def tiny_ctranslate2(
    path: Path, dtype: str = "float16", **shape: Any
) -> WhisperForConditionalGeneration:
    """The same tiny checkpoint twice: in CTranslate2's layout at ``path``, in the hub's at ``<path>-hub``."""
    source = path.with_name(f"{path.name}-hub")
    model = tiny_checkpoint(source, **shape)
    write_ctranslate2(path, source, model, dtype)
    return model


def write_model(
    path: Path,
    variables: Mapping[str, NDArray[Any]],
    *,
    version: int = 6,
    architecture: str = "WhisperSpec",
    kinds: Mapping[str, int] | None = None,
) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    parts = [
        struct.pack("<I", version),
        text(architecture),
        struct.pack("<II", 3, len(variables)),
    ]
    for name, array in sorted(variables.items()):
        data = array.tobytes()
        kind = (kinds or {}).get(name, TYPES[array.dtype.name])
        parts += [text(name), struct.pack("<B", array.ndim)]
        parts += [struct.pack("<I", length) for length in array.shape]
        parts += [struct.pack("<BI", kind, len(data)), data]
    parts += [struct.pack("<I", 1), text("decoder/projection/weight")]
    parts += [text("decoder/embeddings/weight")]
    path.write_bytes(b"".join(parts))


def variables_of(state: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """transformers' tensors, stacked and named as CTranslate2 does."""
    arrays = {name.removeprefix("model."): value.numpy() for name, value in state.items()}
    return dict(_variables(arrays))


def _variables(
    arrays: Mapping[str, NDArray[np.float32]],
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for part in ("encoder", "decoder"):
        yield f"{part}/position_encodings/encodings", arrays[f"{part}.embed_positions.weight"]
        yield from _norm(arrays, f"{part}.layer_norm", f"{part}/layer_norm")
        layers = {name.split(".")[2] for name in arrays if name.startswith(f"{part}.layers.")}
        for layer in layers:
            here, there = f"{part}.layers.{layer}.", f"{part}/layer_{layer}/"
            yield from _layer(arrays, here, there)
            if part == "decoder":
                yield from _cross_attention(arrays, here, there)
    yield "decoder/embeddings/weight", arrays["decoder.embed_tokens.weight"]
    for name in ("conv1", "conv2"):
        yield from _linear(arrays, [f"encoder.{name}"], f"encoder/{name}")


def _layer(
    arrays: Mapping[str, NDArray[np.float32]], here: str, there: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    qkv = [f"{here}self_attn.{part}_proj" for part in "qkv"]
    yield from _linear(arrays, qkv, f"{there}self_attention/linear_0")
    yield from _linear(arrays, [f"{here}self_attn.out_proj"], f"{there}self_attention/linear_1")
    yield from _norm(arrays, f"{here}self_attn_layer_norm", f"{there}self_attention/layer_norm")
    yield from _norm(arrays, f"{here}final_layer_norm", f"{there}ffn/layer_norm")
    for index in (0, 1):
        yield from _linear(arrays, [f"{here}fc{index + 1}"], f"{there}ffn/linear_{index}")


def _cross_attention(
    arrays: Mapping[str, NDArray[np.float32]], here: str, there: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield from _norm(arrays, f"{here}encoder_attn_layer_norm", f"{there}attention/layer_norm")
    parts = {"linear_0": ["q_proj"], "linear_1": ["k_proj", "v_proj"], "linear_2": ["out_proj"]}
    for name, projections in parts.items():
        sources = [f"{here}encoder_attn.{projection}" for projection in projections]
        yield from _linear(arrays, sources, f"{there}attention/{name}")


def _norm(
    arrays: Mapping[str, NDArray[np.float32]], here: str, there: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield f"{there}/gamma", arrays[f"{here}.weight"]
    yield f"{there}/beta", arrays[f"{here}.bias"]


def _linear(
    arrays: Mapping[str, NDArray[np.float32]], sources: list[str], there: str
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Stacked; where one has no bias, as the keys, it has zeros."""
    weights = [arrays[f"{source}.weight"] for source in sources]
    yield f"{there}/weight", np.concatenate(weights)
    biases = [
        arrays.get(f"{source}.bias", np.zeros(len(weight), np.float32))
        for source, weight in zip(sources, weights, strict=True)
    ]
    yield f"{there}/bias", np.concatenate(biases)
