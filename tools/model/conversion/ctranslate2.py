"""Reads Whisper in CTranslate2's format, as faster-whisper takes it: ``model.bin``, version 6.

All numbers are little-endian. A string is a uint16 length and its bytes, the last one zero. The file is
uint32 version, the name of the architecture, uint32 revision, uint32 count, then so many variables (name,
uint8 rank, uint32 dimensions, uint8 type, uint32 bytes, data), then uint32 count of aliases (two strings).
Projections that read the same input are stacked there; transformers has them one by one. config.json there
knows nothing of sizes: those are the tensors'.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from rtap.errors import ModelError
from rtap.whisper.model_directory import read_json_object
from tools.model.conversion.stored_tensors import StoredTensor, read_values, unreadable, widened

MODEL: Final = "model.bin"
VERSION: Final = 6
ARCHITECTURE: Final = "WhisperSpec"
ENGLISH_END_OF_TEXT: Final = 50256
"""Of the .en vocabularies, which list language tokens too."""

_TYPES: Final[Mapping[int, tuple[str, type[np.generic]]]] = {
    0: ("F32", np.float32),
    1: ("int8", np.int8),
    2: ("int16", np.int16),
    3: ("int32", np.int32),
    4: ("F16", np.float16),
    5: ("BF16", np.uint16),
}
"""Their number in the file: name, and NumPy's."""
_FLOATS: Final = ("F32", "F16", "BF16")
_GELU: Final = 3

_WHOLE: Final = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.layer_norm",
    "encoder/position_encodings": "encoder.embed_positions",
    "decoder/embeddings": "decoder.embed_tokens",
    "decoder/layer_norm": "decoder.layer_norm",
    "decoder/position_encodings": "decoder.embed_positions",
    "decoder/projection": "proj_out",
}
_IN_A_LAYER: Final = {
    "self_attention/layer_norm": ("self_attn_layer_norm",),
    "self_attention/linear_0": (
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
    ),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "attention/layer_norm": ("encoder_attn_layer_norm",),
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
    "ffn/layer_norm": ("final_layer_norm",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
"""What CTranslate2 calls it, and transformers' names of the parts that are stacked in it."""
_ENDINGS: Final = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
_LAYER: Final = re.compile(r"(encoder|decoder)/layer_(\d+)/(.+)")


@dataclass(frozen=True, slots=True)
class _Variable:
    """One variable of the file, its data unread."""

    path: Path
    shape: tuple[int, ...]
    type: int
    offset: int

    def scalar(self) -> int:
        """The only value."""
        return int(read_values(self.path, _TYPES[self.type][1], self.offset, ())[()])

    def rows(self, part: int, parts: int) -> StoredTensor:
        """One of the matrices or vectors that are stacked here in equal parts."""
        rows, *rest = self.shape
        step = rows // parts
        name, dtype = _TYPES[self.type]
        offset = self.offset + part * step * math.prod(rest) * np.dtype(dtype).itemsize
        shape = (step, *rest)
        return StoredTensor(
            shape, lambda: widened(read_values(self.path, dtype, offset, shape), name)
        )


@dataclass(frozen=True, slots=True)
class CTranslate2Weights:
    """An opened directory."""

    tensors: Mapping[str, StoredTensor]
    """By transformers' names, without ``model.``."""
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What transformers' layout has as ``config.json`` and ``generation_config.json``."""


def is_ctranslate2(path: Path) -> bool:
    """Whether a directory is in this layout, by the names of its files alone."""
    return (path / MODEL).is_file()


def open_ctranslate2(path: Path) -> CTranslate2Weights:
    """Open a directory.

    Raises:
        ModelError: damaged, not Whisper, or of a precision that lost what the weights were.
    """
    model = path / MODEL
    variables = _variables(model)
    _check_precision(model, variables)
    tensors = dict(_tensors(model, variables))
    sizes = _sizes(model, variables, tensors)
    settings = read_json_object(path / "config.json", "copy the whole directory again")
    tokens = _special_tokens(path)
    return CTranslate2Weights(
        tensors,
        {
            "config.json": sizes | _config_tokens(tokens),
            "generation_config.json": _generation_config(settings, tokens),
        },
    )


def _variables(path: Path) -> dict[str, _Variable]:
    try:
        with path.open("rb") as file:
            version = _number(file, "I")
            if version != VERSION:
                raise ModelError(
                    f"{path} is version {version} of CTranslate2's format, this reads {VERSION}: convert "
                    f"the model again with a current ctranslate2, or give openai/whisper-base"
                )
            architecture = _text(file)
            if architecture != ARCHITECTURE:
                raise ModelError(
                    f"{path} holds a {architecture!r} and no Whisper: "
                    f"give a checkpoint such as openai/whisper-base"
                )
            _number(file, "I")  # the revision, which changed no names
            return dict(_read_variables(file, path))
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


def _read_variables(file: BinaryIO, path: Path) -> Iterator[tuple[str, _Variable]]:
    size = path.stat().st_size
    for _ in range(_number(file, "I")):
        name = _text(file)
        shape = tuple(_number(file, "I") for _ in range(_number(file, "B")))
        kind, length = _number(file, "B"), _number(file, "I")
        if kind in _TYPES and math.prod(shape) * np.dtype(_TYPES[kind][1]).itemsize != length:
            raise unreadable(path, f"{name} has another size than it says")
        if file.tell() + length > size:
            raise unreadable(path, "it is truncated")
        yield name, _Variable(path, shape, kind, file.tell())
        file.seek(length, 1)


def _number(file: BinaryIO, kind: str) -> int:
    layout = f"<{kind}"
    return int(struct.unpack(layout, file.read(struct.calcsize(layout)))[0])


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "H")).rstrip(b"\0").decode()


def _check_precision(path: Path, variables: Mapping[str, _Variable]) -> None:
    for name, variable in variables.items():
        if not variable.shape:
            continue
        known = _TYPES.get(variable.type)
        kind = known[0] if known else f"type {variable.type}"
        if kind not in _FLOATS:
            raise ModelError(
                f"{path} is quantised ({name} is {kind}), which cannot be undone: give the float16 or "
                f"float32 model, or openai/whisper-base"
            )


def _tensors(path: Path, variables: Mapping[str, _Variable]) -> Iterator[tuple[str, StoredTensor]]:
    for name, variable in variables.items():
        stem, _, ending = name.rpartition("/")
        if not variable.shape:
            continue
        if stem in _WHOLE:
            yield f"{_WHOLE[stem]}.{_ENDINGS.get(ending, 'weight')}", variable.rows(0, 1)
            continue
        match = _LAYER.fullmatch(stem)
        parts = _IN_A_LAYER.get(match[3]) if match else None
        if match is None or parts is None or ending not in _ENDINGS:
            raise ModelError(
                f"{path} has a variable {name}, which no Whisper has: "
                f"give a checkpoint such as openai/whisper-base"
            )
        for part, target in enumerate(parts):
            tensor = variable.rows(part, len(parts))
            full = f"{match[1]}.layers.{match[2]}.{target}.{_ENDINGS[ending]}"
            if full.endswith("k_proj.bias"):
                _check_zero(path, name, tensor)
                continue
            yield full, tensor


def _check_zero(path: Path, name: str, tensor: StoredTensor) -> None:
    """Whisper's keys have no bias, and the stacked one has zeros there."""
    if tensor.read().any():
        raise ModelError(
            f"{path} has a bias on the keys in {name}, which no Whisper has: "
            f"give a checkpoint such as openai/whisper-base"
        )


def _sizes(
    path: Path, variables: Mapping[str, _Variable], tensors: Mapping[str, StoredTensor]
) -> dict[str, Any]:
    """The part of config.json that shapes the network."""

    def shape(name: str, rank: int) -> tuple[int, ...]:
        found = tensors.get(name)
        if found is None or len(found.shape) != rank:
            raise ModelError(
                f"{path} has no tensor {name}, so it is no whole Whisper: copy it again"
            )
        return found.shape

    def heads(part: str) -> int:
        variable = variables.get(f"{part}/num_heads")
        if variable is None:
            raise ModelError(f"{path} does not say how many heads there are: copy it again")
        return variable.scalar()

    activation = variables.get("decoder/activation")
    if activation is not None and activation.scalar() != _GELU:
        raise ModelError(
            f"{path} asks for an activation other than gelu, which Whisper never has: "
            f"give a checkpoint such as openai/whisper-base"
        )
    layers = {
        part: len({m[2] for name in variables if (m := _LAYER.match(name)) and m[1] == part})
        for part in ("encoder", "decoder")
    }
    vocabulary, width = shape("decoder.embed_tokens.weight", 2)
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "activation_function": "gelu",
        "vocab_size": vocabulary,
        "num_mel_bins": shape("encoder.conv1.weight", 3)[1],
        "d_model": width,
        "encoder_layers": layers["encoder"],
        "encoder_attention_heads": heads("encoder"),
        "encoder_ffn_dim": shape("encoder.layers.0.fc1.weight", 2)[0],
        "decoder_layers": layers["decoder"],
        "decoder_attention_heads": heads("decoder"),
        "decoder_ffn_dim": shape("decoder.layers.0.fc1.weight", 2)[0],
        "max_source_positions": shape("encoder.embed_positions.weight", 2)[0],
        "max_target_positions": shape("decoder.embed_positions.weight", 2)[0],
        # An alias in the file, so no variable of its own.
        "tie_word_embeddings": "proj_out.weight" not in tensors,
        "scale_embedding": False,
    }


def _special_tokens(path: Path) -> dict[str, int]:
    """Ids of Whisper's own tokens, from the tokenizer or from the list of the vocabulary."""
    if (path / "tokenizer.json").is_file():
        document = read_json_object(path / "tokenizer.json", "copy the whole directory again")
        try:
            return {str(token["content"]): int(token["id"]) for token in document["added_tokens"]}
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(path / "tokenizer.json", error) from error
    words = vocabulary(path)
    return {word: index for index, word in enumerate(words) if re.fullmatch(r"<\|.*\|>", word)}


def vocabulary(path: Path) -> list[str]:
    """The tokens in order, from ``vocabulary.json`` or ``vocabulary.txt``.

    Raises:
        ModelError: there is neither, or it is damaged.
    """
    try:
        if (path / "vocabulary.json").is_file():
            return [
                str(word)
                for word in json.loads((path / "vocabulary.json").read_text(encoding="utf-8"))
            ]
        return (path / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise ModelError(
            f"{path} has no tokenizer.json, no vocabulary.txt and no vocabulary.json: "
            f"copy one of the same model there"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise unreadable(path, error) from error


def _config_tokens(tokens: Mapping[str, int]) -> dict[str, Any]:
    end = tokens.get("<|endoftext|>")
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": tokens.get("<|startoftranscript|>"),
    }


def _generation_config(settings: Mapping[str, Any], tokens: Mapping[str, int]) -> dict[str, Any]:
    """CTranslate2's settings, under transformers' names."""
    languages = set(settings.get("lang_ids") or ())
    multilingual = bool(languages) and tokens.get("<|endoftext|>") != ENGLISH_END_OF_TEXT
    document: dict[str, Any] = _config_tokens(tokens) | {
        "alignment_heads": settings.get("alignment_heads"),
        "suppress_tokens": settings.get("suppress_ids"),
        "begin_suppress_tokens": settings.get("suppress_ids_begin"),
        "is_multilingual": multilingual,
        "no_timestamps_token_id": tokens.get("<|notimestamps|>"),
        "prev_sot_token_id": tokens.get("<|startofprev|>"),
        "max_initial_timestamp_index": 50,
        "return_timestamps": False,
    }
    if multilingual:
        document["lang_to_id"] = {token: id_ for token, id_ in tokens.items() if id_ in languages}
        document["task_to_id"] = {
            task: tokens[f"<|{task}|>"]
            for task in ("transcribe", "translate")
            if f"<|{task}|>" in tokens
        }
    return {key: value for key, value in document.items() if value is not None}
