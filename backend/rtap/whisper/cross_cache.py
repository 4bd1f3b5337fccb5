"""Keys and values of the audio, which the encoder makes once and every token reads.

Integer models keep them in 8 bits with a scale per channel, in graphs that
``tools/model/conversion/cross_cache.py`` writes. There is one set of buffers per model, written again by
every encoding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

    from rtap.whisper.model_settings import Dimensions

KINDS: Final = ("key", "value")
ROOM: Final = 32
"""Positions behind the audio's in 8-bit buffers; the most tokens or beams in one run of the decoder."""

_HIDDEN: Final = np.float32(-1e9)
"""Added to a score: its weight is then zero."""


@dataclass(frozen=True, slots=True)
class CrossCache:
    """The buffers, for audio of any length up to the longest."""

    names: tuple[str, ...]
    """``cross_key.N`` and ``cross_value.N``, outputs of the encoder and inputs of the decoder."""
    heads: int
    size: int
    """Of a head."""
    is_integer: bool
    memory: NDArray[np.generic]
    scales: NDArray[np.float32]
    """[names, 1, heads, 1, size]; for 8 bits only."""

    @classmethod
    def of(cls, encoder: onnxruntime.InferenceSession, dimensions: Dimensions) -> CrossCache:
        """As the encoder's outputs want it."""
        names = cross_names(dimensions.decoder_layers)
        kinds = {output.name: output.type for output in encoder.get_outputs()}
        is_integer = kinds[names[0]] == "tensor(int8)"
        longest = dimensions.max_frames // 2 + (ROOM if is_integer else 0)
        heads, size = dimensions.decoder_heads, dimensions.head_size
        # In one piece, so that short audio touches few of its pages, which may be of 2 MiB.
        memory = np.zeros(
            len(names) * heads * longest * size, np.int8 if is_integer else np.float32
        )
        scales = np.zeros((len(names), 1, heads, 1, size), np.float32)
        return cls(names, heads, size, is_integer, memory, scales)

    def sized(self, positions: int) -> CrossTensors:
        """The part of the buffers for so much audio."""
        shape = (1, self.heads, positions + (ROOM if self.is_integer else 0), self.size)
        parts = self.memory[: len(self.names) * math.prod(shape)]
        parts = parts.reshape(len(self.names), *shape)
        scales = dict(zip(self.names, self.scales, strict=True)) if self.is_integer else {}
        return CrossTensors(positions, dict(zip(self.names, parts, strict=True)), scales)


@dataclass(frozen=True, slots=True)
class CrossTensors:
    """Of one audio, by name; good until the next one is encoded."""

    positions: int
    tensors: dict[str, NDArray[np.generic]]
    """[1, heads, positions, head size]; 8-bit ones have room for further positions behind."""
    scales: dict[str, NDArray[np.float32]]
    """[1, heads, 1, head size] of each; none for fp32."""

    def outputs(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """What the encoder writes."""
        yield from self.tensors.items()
        yield from ((f"{name}.scale", scale) for name, scale in self.scales.items())

    def floats(self, name: str, heads: slice = slice(None)) -> NDArray[np.float32]:
        """Keys or values of one layer [1, heads, positions, head size]."""
        tensor = self.tensors[name][:, heads, : self.positions].astype(np.float32, copy=False)
        return tensor * self.scales[name][:, heads] if self.scales else tensor


@dataclass(frozen=True, slots=True)
class CrossInputs:
    """What a decoder that attends in 8 bits is given beside keys, values and scales, for so many queries."""

    mask: NDArray[np.float32]
    new: NDArray[np.float32]
    last: NDArray[np.int32]
    total: NDArray[np.int32]

    @classmethod
    def of(cls, positions: int, queries: int, width: int) -> CrossInputs:
        """Its arrays are to be kept while they are bound."""
        total = positions + queries
        mask = np.zeros((1, 1, queries, total), np.float32)
        mask[..., positions:] = _HIDDEN
        new = np.zeros((1, queries, width), np.float32)
        return cls(mask, new, np.array([total - 1], np.int32), np.array(total, np.int32))

    def items(self) -> Sequence[tuple[str, NDArray[np.generic]]]:
        """By the names of the decoder's inputs."""
        return (
            ("cross_mask", self.mask),
            ("cross_new", self.new),
            ("cross_last", self.last),
            ("cross_total", self.total),
        )


def cross_names(layers: int) -> tuple[str, ...]:
    """Of keys and values, layer by layer."""
    return tuple(f"cross_{kind}.{layer}" for layer in range(layers) for kind in KINDS)
