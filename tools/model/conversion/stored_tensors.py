"""Tensors that are still on disk, and the file formats that hold them by name: safetensors and torch's.

safetensors are read with NumPy alone, bfloat16 included, so that a conversion needs no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ModelError

_WIDTHS: Final[Mapping[str, type[np.generic]]] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,
}
"""safetensors' names; NumPy has no bfloat16."""
_LONGEST_HEADER: Final = 100_000_000
"""What the format allows, in bytes."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor still on disk."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


def unreadable(path: Path, error: Exception | str) -> ModelError:
    """For weights that are damaged."""
    return ModelError(f"{path} cannot be read ({error}): download the checkpoint again")


def open_weight_file(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a ``.safetensors`` or a torch file, by name.

    Raises:
        ModelError: the file is damaged, or is torch's and torch is not there.
    """
    try:
        if path.suffix == ".safetensors":
            return read_safetensors(path)[0]
        return _open_torch(path)
    except ModelError:
        raise
    except ImportError as error:
        raise ModelError(
            f"{path} is torch's format, and torch is not installed: run `make setup`, "
            f"or give a checkpoint with model.safetensors"
        ) from error
    except Exception as error:  # torch raises types of its own for a truncated file
        raise unreadable(path, error) from error


def read_safetensors(path: Path) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Tensors by name, and the text fields of the file's header.

    Raises:
        ModelError: the file is damaged, or holds numbers that are not floating point.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _LONGEST_HEADER:
                raise ValueError("no header")
            header = json.loads(file.read(length))
        metadata = header.pop("__metadata__", {})
        start = 8 + length
        size = path.stat().st_size
        tensors = {
            str(name): _safetensor(path, entry, start, size) for name, entry in header.items()
        }
        return tensors, {str(key): str(value) for key, value in metadata.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error) from error


def _safetensor(path: Path, entry: Mapping[str, Any], start: int, size: int) -> StoredTensor:
    dtype = str(entry["dtype"])
    if dtype not in _WIDTHS:
        raise ValueError(f"{dtype} is no floating point type")
    shape = tuple(int(length) for length in entry["shape"])
    first, end = (start + int(offset) for offset in entry["data_offsets"])
    if end - first != math.prod(shape) * np.dtype(_WIDTHS[dtype]).itemsize or end > size:
        raise ValueError("it is truncated")
    return StoredTensor(
        shape, lambda: widened(read_values(path, _WIDTHS[dtype], first, shape), dtype)
    )


def read_values(
    path: Path, dtype: type[np.generic], offset: int, shape: tuple[int, ...]
) -> NDArray[Any]:
    """Little-endian values of a file, from a byte on.

    Raises:
        OSError: the file ends before.
    """
    count = math.prod(shape)
    # Read and not mapped: a file that shrinks later is then an error and no bus error.
    values = np.fromfile(path, np.dtype(dtype).newbyteorder("<"), count, offset=offset)
    if values.size != count:
        raise OSError("the file ends too early")
    return values.reshape(shape)


def widened(values: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """As fp32; ``BF16`` is its upper half."""
    if dtype == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False)


def _open_torch(path: Path) -> dict[str, StoredTensor]:
    import torch

    tensors = torch.load(path, map_location="cpu", mmap=True, weights_only=True)

    def reader(tensor: torch.Tensor) -> Callable[[], NDArray[np.float32]]:
        return lambda: tensor.float().numpy()

    return {
        key: StoredTensor(tuple(tensor.shape), reader(tensor)) for key, tensor in tensors.items()
    }
