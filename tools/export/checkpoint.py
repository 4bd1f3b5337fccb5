"""Reads a Whisper checkpoint in Hugging Face layout, one tensor at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ModelError
from rtap.whisper.model_directory import read_json_object
from tools.export.staging import storage_errors

SAFETENSORS = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"
TORCH = "pytorch_model.bin"
TORCH_INDEX = "pytorch_model.bin.index.json"
_WEIGHT_FILES = (SAFETENSORS, SAFETENSORS_INDEX, TORCH, TORCH_INDEX)

_HUB_TEXT_FILES = ["*.json", "*.txt"]


@dataclass(frozen=True, slots=True)
class _StoredTensor:
    """A tensor still on disk."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


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
        self.on_read: Callable[[int], object] = lambda _: None
        """Told the number of parameters of each tensor that is read."""
        self.config_json = self.read_json("config.json")
        self.config = WhisperConfig.from_json(self.config_json, path / "config.json")

    @classmethod
    def open(cls, source: str) -> Checkpoint:
        """Open a directory, or fetch a hub name such as ``openai/whisper-base`` (kept in the hub's cache).

        Raises:
            ModelError: neither a directory nor a model that the hub hands out.
        """
        path = Path(source).expanduser()
        if path.is_dir():
            return cls(path, path.resolve().name)
        if path.exists() or source.startswith((".", "/", "~")) or source.count("/") > 1:
            raise ModelError(
                f"no checkpoint directory at {source}: check the path, "
                f"or give a hub name such as openai/whisper-base"
            )
        return cls(_download(source), source)

    @property
    def name(self) -> str:
        """Last part of the source: ``whisper-base`` for ``openai/whisper-base``."""
        return self.source.rstrip("/").rsplit("/", 1)[-1]

    def read_json(self, name: str) -> dict[str, Any]:
        """Parse one of the checkpoint's JSON files.

        Raises:
            ModelError: missing, unreadable or no JSON object.
        """
        return read_json_object(self.path / name, "download the whole checkpoint again")

    @cached_property
    def _tensors(self) -> dict[str, _StoredTensor]:
        """By name, without the ``model.`` prefix that only some checkpoints have."""
        tensors: dict[str, _StoredTensor] = {}
        for shard in self.weight_files():
            tensors |= _open_shard(shard)
        named = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
        self._check_shapes(named)
        return named

    def _check_shapes(self, tensors: Mapping[str, _StoredTensor]) -> None:
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
        try:
            array = tensor.read()
        except (OSError, RuntimeError) as error:  # the file shrank since it was opened
            raise _unreadable(self.path, error) from error
        self.on_read(array.size)
        return array

    def parameters(self) -> int:
        """Number of parameters, shared embeddings counted once."""
        skipped = {"proj_out.weight"} if self.ties_embeddings else set()
        return sum(
            math.prod(tensor.shape) for name, tensor in self._tensors.items() if name not in skipped
        )

    def weight_files(self) -> list[Path]:
        """The files that the weights are read from.

        Raises:
            ModelError: there are none, or some are missing.
        """
        weights = next((name for name in _WEIGHT_FILES if (self.path / name).is_file()), None)
        if weights is None:
            raise ModelError(
                f"{self.path} holds no weights: copy one of {', '.join(_WEIGHT_FILES)} there"
            )
        files = [self.path / shard for shard in _shards(self.path / weights)]
        for file in files:
            if not file.is_file():
                raise ModelError(f"{file} is missing: download the checkpoint again")
        return files


def _shards(weights: Path) -> list[str]:
    if not weights.name.endswith("index.json"):
        return [weights.name]
    try:
        return sorted(set(json.loads(weights.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(weights, error) from error


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path} cannot be read ({error}): download the checkpoint again")


def _open_shard(path: Path) -> dict[str, _StoredTensor]:
    try:
        return _open_safetensors(path) if path.suffix == ".safetensors" else _open_torch(path)
    except ImportError:
        raise
    except Exception as error:  # both formats raise types of their own for a truncated file
        raise _unreadable(path, error) from error


def _open_safetensors(path: Path) -> dict[str, _StoredTensor]:
    from safetensors import safe_open

    # Through torch, because NumPy has no bfloat16.
    file = safe_open(path, framework="pt")

    def reader(key: str) -> Callable[[], NDArray[np.float32]]:
        return lambda: file.get_tensor(key).float().numpy()

    return {
        key: _StoredTensor(tuple(file.get_slice(key).get_shape()), reader(key))
        for key in file.keys()  # noqa: SIM118 - not a mapping
    }


def _open_torch(path: Path) -> dict[str, _StoredTensor]:
    import torch

    tensors = torch.load(path, map_location="cpu", mmap=True, weights_only=True)

    def reader(tensor: torch.Tensor) -> Callable[[], NDArray[np.float32]]:
        return lambda: tensor.float().numpy()

    return {
        key: _StoredTensor(tuple(tensor.shape), reader(tensor)) for key, tensor in tensors.items()
    }


def _download(name: str) -> Path:
    """Fetch a checkpoint from the hub, or take what an earlier download left in its cache."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    try:
        with storage_errors(Path(constants.HF_HUB_CACHE) / "models"):
            return _fetch(name)
    except GatedRepoError:
        raise ModelError(
            f"{name} is open to registered users only: accept its terms on the hub and log in there, "
            f"or copy the checkpoint here and give its directory"
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise ModelError(
            f"there is no directory and no hub model called {name!r}: try openai/whisper-base"
        ) from None
    except OSError as error:
        with suppress(OSError):
            cached = Path(snapshot_download(name, local_files_only=True))
            if any((cached / file).is_file() for file in _WEIGHT_FILES):
                return cached
        raise ModelError(
            f"{name} could not be downloaded ({error.__class__.__name__}): connect to the network, "
            f"or copy the checkpoint here and give its directory"
        ) from None


def _fetch(name: str) -> Path:
    """Get the small files and the first of the weight formats that the hub has."""
    from huggingface_hub import list_repo_files, snapshot_download

    offered = set(list_repo_files(name))
    weights = next((file for file in _WEIGHT_FILES if file in offered), None)
    if weights is None:
        raise ModelError(
            f"{name} holds no weights that can be read, none of {', '.join(_WEIGHT_FILES)}: "
            f"choose another model"
        )
    path = Path(snapshot_download(name, allow_patterns=[*_HUB_TEXT_FILES, weights]))
    snapshot_download(name, allow_patterns=_shards(path / weights))
    return path
