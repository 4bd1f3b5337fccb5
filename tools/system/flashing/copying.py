"""Puts an image onto a medium, and proves that it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from rtap.errors import ConfigurationError
from tools.console.progress import Advance
from tools.console.quantities import position, size
from tools.system.disk_image.image_file import CHUNK_BYTES, Chunk
from tools.system.flashing.medium import MediumError


class Written(NamedTuple):
    """A piece that was written."""

    start: int
    length: int
    digest: bytes


class Storage(Protocol):
    """What is written to and read from; :class:`tools.system.flashing.medium.Medium` in earnest."""

    def write(self, start: int, data: bytes) -> None:
        """Write at most ``CHUNK_BYTES``."""

    def read(self, start: int, length: int) -> bytes:
        """Read at most ``CHUNK_BYTES``."""

    def settle(self) -> None:
        """Wait until all is on the medium, and forget what is cached of it."""


def write(
    chunks: Iterable[Chunk], storage: Storage, room: int | None, advance: Advance
) -> list[Written]:
    """Write all chunks.

    Args:
        room: bytes that the medium has; None: no limit.

    Returns:
        What was written, for :func:`compare`.

    Raises:
        ConfigurationError: the image does not fit.
        MediumError: the medium fails.
    """
    written = []
    for start, data in chunks:
        if room is not None and start + len(data) > room:
            raise ConfigurationError(
                f"the medium is too small: it has {size(room)}, the image goes beyond "
                f"{size(start + len(data))}; use a larger card"
            )
        storage.write(start, data)
        written.append(Written(start, len(data), hashlib.sha256(data).digest()))
        advance(len(data))
    storage.settle()
    return written


def compare(
    written: Sequence[Written], storage: Storage, again: Iterator[Chunk], advance: Advance
) -> None:
    """Read all of it back. Some cards take everything and report no error.

    Args:
        again: the same chunks as were written, read only where the medium differs.

    Raises:
        MediumError: it differs; the message has the first differing byte's place.
    """
    for one in written:
        found = storage.read(one.start, one.length)
        if hashlib.sha256(found).digest() != one.digest:
            raise _difference(one, found, again)
        advance(one.length)


def _difference(one: Written, found: bytes, again: Iterator[Chunk]) -> MediumError:
    right = next((chunk.data for chunk in again if chunk.start == one.start), b"")
    pairs = enumerate(zip(right, found, strict=False))
    at, (wanted, got) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    return MediumError(
        f"the medium is bad: {position(one.start + at)} reads {got:#04x} where {wanted:#04x} was written; "
        "nothing on it can be relied on; try another card, then another reader"
    )


def zeros(start: int, end: int) -> Iterator[Chunk]:
    """What erases everything from ``start`` to ``end``."""
    block = bytes(CHUNK_BYTES)
    for at in range(start, end, CHUNK_BYTES):
        yield Chunk(at, block[: end - at])
