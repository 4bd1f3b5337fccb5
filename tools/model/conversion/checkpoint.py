"""Reads a Whisper checkpoint one tensor at a time, in Hugging Face's layout or in CTranslate2's."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ModelError
from rtap.whisper.model_directory import read_json_object
from tools.model.conversion.adapter import Adapter
from tools.model.conversion.ctranslate2 import (
    MODEL,
    CTranslate2Weights,
    is_ctranslate2,
    open_ctranslate2,
)
from tools.model.conversion.stored_tensors import StoredTensor, open_weight_file, unreadable

SAFETENSORS = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"
TORCH = "pytorch_model.bin"
TORCH_INDEX = "pytorch_model.bin.index.json"
WEIGHT_FILES = (SAFETENSORS, SAFETENSORS_INDEX, TORCH, TORCH_INDEX)


@dataclass(frozen=True, slots=True)
class WhisperConfig:
    """The numbers of ``config.json`` that shape the graphs, by Hugging Face's names."""

    vocab_size: int
    num_mel_bins: int
    d_model: int
    encoder_layers: int
    encoder_attention_heads: int
    decoder_layers: int
    decoder_attention_heads: int
    max_source_positions: int
    max_target_positions: int

    @property
    def decoder_head_size(self) -> int:
        """Width of one decoder attention head."""
        return self.d_model // self.decoder_attention_heads

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: Path) -> WhisperConfig:
        """Raises: ModelError: not a Whisper configuration."""
        if document.get("model_type") != "whisper":
            raise ModelError(
                f"{where} describes a {document.get('model_type')!r} model: "
                f"give a WhisperForConditionalGeneration checkpoint such as openai/whisper-base"
            )
        try:
            config = cls(**{name: int(document[name]) for name in cls.__dataclass_fields__})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{where} is damaged ({error}): download the checkpoint again"
            ) from error
        if document.get("activation_function", "gelu") != "gelu":
            raise ModelError(
                f"{where} asks for an activation other than gelu, which Whisper never has: "
                f"give a checkpoint such as openai/whisper-base"
            )
        if min(getattr(config, name) for name in cls.__dataclass_fields__) < 1:
            raise ModelError(f"{where} has a size below 1: download the checkpoint again")
        if config.d_model % config.decoder_attention_heads or (
            config.d_model % config.encoder_attention_heads
        ):
            raise ModelError(
                f"{where}: d_model is not a multiple of the attention heads: "
                f"download the checkpoint again"
            )
        return config


class Checkpoint:
    """A local checkpoint directory.

    Raises:
        ModelError: no weights, not Whisper, or a tensor is missing.
    """

    def __init__(self, path: Path, source: str) -> None:
        """Args: path: Hugging Face directory; source: how the user named it, for the manifest."""
        self.path = path
        self.source = source
        self.adapter: Adapter | None = None
        """Merged into every tensor that :meth:`tensor` reads."""
        self.on_read: Callable[[int], object] = lambda _: None
        """Told the number of parameters of each tensor that is read."""
        self.made_documents: Mapping[str, dict[str, Any]] = {}
        """JSON files that the checkpoint lacks or has in another form; they stand in its own files' place."""
        if self._ctranslate2 is not None:
            self.made_documents = self._ctranslate2.documents
        self.config_json = self.read_json("config.json")
        self.config = WhisperConfig.from_json(self.config_json, path / "config.json")

    @property
    def name(self) -> str:
        """Last part of the source: ``whisper-base`` for ``openai/whisper-base``."""
        return self.source.rstrip("/").rsplit("/", 1)[-1]

    def read_json(self, name: str) -> dict[str, Any]:
        """Parse one of the checkpoint's JSON files.

        Raises:
            ModelError: missing, unreadable or no JSON object.
        """
        if name in self.made_documents:
            return dict(self.made_documents[name])
        return read_json_object(self.path / name, "download the whole checkpoint again")

    @cached_property
    def _ctranslate2(self) -> CTranslate2Weights | None:
        """Opened, if the checkpoint is in that layout; where there are other weights as well, they count."""
        if not is_ctranslate2(self.path) or self._hub_weights() is not None:
            return None
        return open_ctranslate2(self.path)

    @property
    def is_remade(self) -> bool:
        """Whether these are not the tensors, or not the layout, that transformers finds in the directory."""
        return self._ctranslate2 is not None or self.adapter is not None

    def _hub_weights(self) -> str | None:
        return next((name for name in WEIGHT_FILES if (self.path / name).is_file()), None)

    @cached_property
    def _tensors(self) -> Mapping[str, StoredTensor]:
        """By name, without the ``model.`` prefix that only some checkpoints have."""
        if self._ctranslate2 is not None:
            return self._ctranslate2.tensors
        tensors: dict[str, StoredTensor] = {}
        for shard in self.weight_files():
            tensors |= open_weight_file(shard)
        named = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
        self._check_shapes(named)
        return named

    def _check_shapes(self, tensors: Mapping[str, StoredTensor]) -> None:
        """Refuse weights beside another size's config.json, before hours are spent on them."""
        config = self.config
        width = config.d_model
        for name, shape in {
            "encoder.conv1.weight": (width, config.num_mel_bins, 3),
            "encoder.embed_positions.weight": (config.max_source_positions, width),
            "decoder.embed_positions.weight": (config.max_target_positions, width),
            "decoder.embed_tokens.weight": (config.vocab_size, width),
        }.items():
            if name in tensors and tensors[name].shape != shape:
                raise ModelError(
                    f"{self.path}: {name} is {list(tensors[name].shape)}, config.json makes it "
                    f"{list(shape)}: copy config.json and the weights of the same checkpoint"
                )

    @cached_property
    def ties_embeddings(self) -> bool:
        """Whether the output projection is the token embedding, as in every published Whisper."""
        return bool(self.config_json.get("tie_word_embeddings", True))

    def tensor(self, name: str) -> NDArray[np.float32]:
        """Read one tensor as fp32; ``name`` as in transformers, without ``model.``."""
        try:
            tensor = self._tensors[name]
        except KeyError:
            raise ModelError(
                f"{self.path} has no tensor {name}, so it is no whole Whisper checkpoint: "
                f"download it again"
            ) from None
        array = self._read(tensor)
        if self.adapter is not None:
            array = self.adapter.merged(name, array)
        self.on_read(array.size)
        return array

    def _read(self, tensor: StoredTensor) -> NDArray[np.float32]:
        try:
            return tensor.read()
        except (OSError, RuntimeError) as error:  # the file shrank since it was opened
            raise unreadable(self.path, error) from error

    def adapted(self, adapter: Adapter) -> Checkpoint:
        """The same checkpoint with an adapter merged into it; its digest stays that of its own tensors.

        Raises:
            ModelError: the adapter belongs to another checkpoint.
        """
        if not adapter.fits(self.shapes()) or adapter.checkpoint != self.digest:
            raise ModelError(
                f"{adapter.path} belongs to {adapter.source} and not to the weights of {self.source}: "
                f"give --adapter the one of this checkpoint, or --no-adapter"
            )
        merged = copy(self)
        merged.adapter = adapter
        return merged

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all tensors by name; the output projection only where it is a tensor of its own."""
        skipped = {"proj_out.weight"} if self.ties_embeddings else set()
        return {name: tensor.shape for name, tensor in self._tensors.items() if name not in skipped}

    @cached_property
    def digest(self) -> str:
        """One SHA-256 of all tensors as fp16, the same for every source and file format of the weights.

        Over the tensors by name: the name in UTF-8, a zero byte, the shape such as ``512x80x3``, a zero byte,
        the values as little-endian float16, which is what OpenAI published.
        """
        found = hashlib.sha256()
        for name, shape in sorted(self.shapes().items()):
            found.update(f"{name}\0{'x'.join(map(str, shape))}\0".encode())
            with np.errstate(over="ignore"):  # beyond fp16 is infinity, as good a mark as any
                found.update(self._read(self._tensors[name]).astype("<f2").tobytes())
        return found.hexdigest()

    def parameters(self) -> int:
        """Number of parameters, shared embeddings counted once."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def weight_files(self) -> list[Path]:
        """The files that the weights are read from.

        Raises:
            ModelError: there are none, or some are missing.
        """
        if self._ctranslate2 is not None:
            return [self.path / MODEL]
        weights = self._hub_weights()
        if weights is None:
            raise ModelError(
                f"{self.path} holds no weights: copy one of {', '.join([*WEIGHT_FILES, MODEL])} there"
            )
        files = [self.path / shard for shard in weight_shards(self.path / weights)]
        for file in files:
            if not file.is_file():
                raise ModelError(f"{file} is missing: download the checkpoint again")
        return files


def weight_shards(weights: Path) -> list[str]:
    """Names of the files that a weight file or the index of several stands for."""
    if not weights.name.endswith("index.json"):
        return [weights.name]
    try:
        return sorted(set(json.loads(weights.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(weights, error) from error
