"""Adapters: small files that teach one checkpoint to hear audio in its own length, merged while it is read.

A safetensors file. To a tensor that transformers calls ``NAME`` (without ``model.``), ``NAME.lora_a`` [r, in]
and ``NAME.lora_b`` [out, r] add B @ A in fp32, in the shape of a convolution if it is one; ``NAME.delta`` is
added as it is. All are fp16. The header's text says which checkpoint it belongs to, by the digest of its
tensors, so that it fits every source and format of the same weights and nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.model_directory import MAX_MARGIN_SECONDS, file_sha256
from tools.model.conversion.staging import storage_errors
from tools.model.conversion.stored_tensors import StoredTensor, read_safetensors

FORMAT: Final = "1"

_DOWN, _UP, _DELTA = "lora_a", "lora_b", "delta"
_FETCH_AGAIN: Final = "copy the adapter again, or convert with --no-adapter"

Trained = Literal["native", "guarded"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An opened adapter; its tensors are still on disk."""

    path: Path
    sha256: str
    """Of the file."""
    checkpoint: str
    """Digest of the tensors that it belongs to."""
    source: str
    """What that checkpoint is usually called, such as openai/whisper-base."""
    elastic: Trained
    margin: float
    """Seconds of silence that contexts get after the audio."""
    record: Mapping[str, Any]
    """How it was made, and what it achieved."""
    tensors: Mapping[str, StoredTensor]

    @classmethod
    def read(cls, path: Path) -> Adapter:
        """Open a file.

        Raises:
            ModelError: there is none, or it is damaged or of a newer format.
        """
        if not path.is_file():
            raise ModelError(f"there is no adapter at {path}: check the path")
        try:
            tensors, metadata = read_safetensors(path)
        except ModelError as error:
            raise ModelError(f"{path} is no adapter ({error.__cause__}): {_FETCH_AGAIN}") from error
        if metadata.get("format") != FORMAT:
            raise ModelError(
                f"{path} is an adapter of format {metadata.get('format')}, this version reads {FORMAT}: "
                f"{_FETCH_AGAIN}"
            )
        try:
            adapter = cls(
                path=path,
                sha256=file_sha256(path),
                checkpoint=metadata["checkpoint"],
                source=metadata["source"],
                elastic=_trained(metadata["elastic"]),
                margin=_margin(metadata["margin"]),
                record=dict(json.loads(metadata.get("record", "{}"))),
                tensors=tensors,
            )
            _check_parts(tensors)
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"{path} is damaged ({error}): {_FETCH_AGAIN}") from error
        return adapter

    @property
    def name(self) -> str:
        """Of the file, without its ending."""
        return self.path.name.removesuffix(".safetensors")

    def fits(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether all that it changes is there in the right shape; its digest may be another still."""
        return all(self._fits(name, shapes.get(name.rpartition(".")[0])) for name in self.tensors)

    def _fits(self, name: str, target: tuple[int, ...] | None) -> bool:
        shape, kind = self.tensors[name].shape, name.rpartition(".")[2]
        if target is None:
            return False
        if kind == _DELTA:
            return shape == target
        if kind == _UP:
            return shape[0] == target[0]
        return len(target) > 1 and shape[1] == math.prod(target[1:])

    def merged(self, name: str, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """A tensor of the checkpoint with its change, if it has one."""
        down, up, delta = (self.tensors.get(f"{name}.{kind}") for kind in (_DOWN, _UP, _DELTA))
        if down is not None and up is not None:
            weights = weights + (up.read() @ down.read()).reshape(weights.shape)
        if delta is not None:
            weights = weights + delta.read()
        return weights

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"name": self.name, "sha256": self.sha256, "record": dict(self.record)}


def write_adapter(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Write an adapter; it appears whole or not at all.

    Args:
        tensors: by name with its ending ``.lora_a``, ``.lora_b`` or ``.delta``; rounded to fp16.
        metadata: ``checkpoint``, ``source``, ``elastic``, ``margin``, ``record``, and others for people.

    Raises:
        ConfigurationError: this would not be read back.
        StorageError: the file cannot be written.
    """
    from safetensors.numpy import save

    with np.errstate(over="ignore"):
        halves = {name: np.asarray(array).astype(np.float16) for name, array in tensors.items()}
    for name, half in halves.items():
        if not np.isfinite(half).all():
            raise ConfigurationError(f"{name} has values that fp16 cannot hold: train it with less")
    scratch = path.with_name(f".{path.name}.new")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.write_bytes(save(halves, {"format": FORMAT, **metadata}))
            Adapter.read(scratch)
            scratch.replace(path)
        except ModelError as error:
            raise ConfigurationError(f"{path} would be no adapter: {error}") from error
        finally:
            scratch.unlink(missing_ok=True)


def _check_parts(tensors: Mapping[str, StoredTensor]) -> None:
    for name, tensor in tensors.items():
        target, _, kind = name.rpartition(".")
        if kind == _DELTA:
            continue
        if kind not in (_DOWN, _UP):
            raise ValueError(f"{name} is neither {_DOWN}, {_UP} nor {_DELTA}")
        other = tensors.get(f"{target}.{_UP if kind == _DOWN else _DOWN}")
        if other is None or len(tensor.shape) != 2 or len(other.shape) != 2:
            raise ValueError(f"{name} is half of a pair")
        down, up = (tensor, other) if kind == _DOWN else (other, tensor)
        if down.shape[0] != up.shape[1]:
            raise ValueError(f"{name} and its other half have another rank")
    if not tensors:
        raise ValueError("it changes nothing")


def _trained(text: str) -> Trained:
    allowed: Iterable[str] = get_args(Trained)
    if text not in allowed:
        raise ValueError(f"elastic is {text!r}")
    return cast("Trained", text)


def _margin(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= MAX_MARGIN_SECONDS:
        raise ValueError(f"a margin of {text} s")
    return seconds
