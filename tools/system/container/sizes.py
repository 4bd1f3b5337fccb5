"""How large an image is, and what takes the room."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.system.container.layers import Layer

MEGABYTE: Final = 1_000_000
LARGEST: Final = 250 * MEGABYTE
LARGEST_COMPRESSED: Final = 100 * MEGABYTE
"""Goals, without the model."""
_LEVEL: Final = 6
"""gzip's usual one, which registries get."""
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LayerSize:
    """One row of the table."""

    name: str
    bytes: int
    compressed: int


def measure(layers: Sequence[Layer]) -> list[LayerSize]:
    """Sizes of the layers, as they are and with gzip."""
    return [LayerSize(layer.name, layer.bytes, _compressed(layer.file)) for layer in layers]


def table(sizes: Sequence[LayerSize]) -> str:
    """What people read."""
    total = LayerSize("all", sum(one.bytes for one in sizes), sum(one.compressed for one in sizes))
    goal = LayerSize("goal without the model", LARGEST, LARGEST_COMPRESSED)
    lines = [f"  {'layer':<24}{'MB':>8}{'gzip':>8}"]
    lines += [
        f"  {one.name:<24}{one.bytes / MEGABYTE:>8.1f}{one.compressed / MEGABYTE:>8.1f}"
        for one in (*sizes, total, goal)
    ]
    return "\n".join(lines) + "\n"


def _compressed(file: Path) -> int:
    compressor = zlib.compressobj(_LEVEL)
    size = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            size += len(compressor.compress(block))
    return size + len(compressor.flush())
