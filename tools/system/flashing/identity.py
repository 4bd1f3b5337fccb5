"""A disk identity of its own for each card.

An image has one identity for all its copies, and its kernel finds the root by it. A device with two such
cards, one of them in a USB reader, would take whichever it sees first. So a flash draws another identity and
puts it into the partition table and into cmdline.txt on the way to the card.

The first half of the number is that of the product, so that a card of ours is known as one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tools.system.disk_image.image_file import Chunk
from tools.system.disk_image.partition_table import DISK_ID_OFFSET, PartitionTable

_HALF: Final = 16
_DIGITS: Final = 8
_BOOT: Final = 1
"""Number of the partition with cmdline.txt."""


class Source(Protocol):
    """Where an image's bytes come from; :class:`tools.system.disk_image.image_file.ImageFile` in earnest."""

    def chunks_between(self, start: int, end: int) -> Iterator[Chunk]:
        """All bytes from ``start`` to ``end``."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes that are written in place of the image's."""

    start: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a card's copy of the image different from all others."""

    disk_id: int
    patches: tuple[Patch, ...]

    def __str__(self) -> str:
        return f"{self.disk_id:08x}"

    def applied(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The image's chunks as this card gets them."""
        for chunk in chunks:
            yield Chunk(chunk.start, _patched(chunk, self.patches))


def is_same_product(one: int, other: int) -> bool:
    """Whether two disk identities are of cards of the same product."""
    return one >> _HALF == other >> _HALF


def draw(image_id: int) -> int:
    """Another identity of the same product, at random."""
    half = 1 << _HALF
    # Any but the image's own, which is what every copy made without this tool has.
    return image_id ^ (1 + secrets.randbelow(half - 1))


def for_card(
    image: Source, table: PartitionTable | None, new_id: Callable[[int], int] = draw
) -> Identity | None:
    """Draw an identity, and find all places in the image that need it.

    Args:
        table: of the image.

    Returns:
        None: the image's kernel does not find its root by the disk's identity, so it stays as it is.

    Raises:
        DamagedImageError: the image cannot be unpacked.
    """
    boot = table.partition(_BOOT) if table else None
    if table is None or boot is None:
        return None
    before = f"root=PARTUUID={table.disk_id:08x}-".encode()
    chunks = image.chunks_between(boot.start, boot.start + boot.length)
    # Of the same length, so the file system needs no look: a short file lies in one piece.
    places = [place + len(before) - 1 - _DIGITS for place in _find(before, chunks)]
    if not places:
        return None
    disk_id = new_id(table.disk_id)
    digits = f"{disk_id:08x}".encode()
    in_table = Patch(DISK_ID_OFFSET, disk_id.to_bytes(4, "little"))
    return Identity(disk_id, (in_table, *(Patch(place, digits) for place in places)))


def _find(words: bytes, chunks: Iterable[Chunk]) -> Iterator[int]:
    """Where the words begin; they may lie across the border of two chunks, which have no gap between them."""
    rest = b""
    for start, data in chunks:
        text = rest + data
        at = text.find(words)
        while at >= 0:
            yield start - len(rest) + at
            at = text.find(words, at + 1)
        rest = text[-(len(words) - 1) :]


def _patched(chunk: Chunk, patches: Iterable[Patch]) -> bytes:
    end = chunk.start + len(chunk.data)
    inside = [one for one in patches if one.start < end and one.start + len(one.data) > chunk.start]
    if not inside:
        return chunk.data
    changed = bytearray(chunk.data)
    for patch in inside:
        first, last = max(patch.start, chunk.start), min(patch.start + len(patch.data), end)
        piece = patch.data[first - patch.start : last - patch.start]
        changed[first - chunk.start : last - chunk.start] = piece
    return bytes(changed)
