"""The image to be written: plain or compressed, read once from beginning to end."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final, NamedTuple

from rtap.errors import ConfigurationError, RTAPException
from tools.console.quantities import position
from tools.system.disk_image.bmap import Bmap, Range

CHUNK_BYTES: Final = 4 * 2**20
"""What is read, written and compared at a time."""

_UNPACKERS: Final[dict[str, type[bz2.BZ2File | gzip.GzipFile | lzma.LZMAFile]]] = {
    ".bz2": bz2.BZ2File,
    ".gz": gzip.GzipFile,
    ".xz": lzma.LZMAFile,
}
_UNREADABLE: Final = {".zst": "zstd -d", ".zip": "unzip", ".7z": "7z x", ".lz4": "lz4 -d"}


class DamagedImageError(RTAPException):
    """The image is not what its maker made."""

    exit_status = 2


class Chunk(NamedTuple):
    """A piece of an image and its place."""

    start: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image on disk."""

    path: Path

    def __post_init__(self) -> None:
        """Raises: ConfigurationError: there is no such file, or of a kind that is not read here."""
        if not self.path.is_file():
            raise ConfigurationError(
                f"{self.path} is no file: name an image, such as IMAGE.wic.bz2"
            )
        if program := _UNREADABLE.get(self.path.suffix):
            raise ConfigurationError(
                f"{self.path.name} cannot be unpacked here: run `{program} {self.path}` first"
            )

    @property
    def is_compressed(self) -> bool:
        """Whether its size is unknown until it has been read."""
        return self.path.suffix in _UNPACKERS

    def bmap_path(self) -> Path:
        """Where its block map is: both IMAGE.wic.bmap and IMAGE.wic.bz2.bmap are usual."""
        plain = self.path.with_suffix("") if self.is_compressed else self.path
        places = [Path(f"{plain}.bmap"), Path(f"{self.path}.bmap"), plain.with_suffix(".bmap")]
        return next((place for place in places if place.is_file()), places[0])

    def head(self, length: int) -> bytes:
        """Its first bytes, fewer where it is shorter."""
        with self._stream() as stream:
            return stream.read(length)

    def chunks_between(self, start: int, end: int) -> Iterator[Chunk]:
        """All its bytes from ``start`` to ``end``, or to its own end where that comes first.

        Raises:
            DamagedImageError: it cannot be unpacked.
        """
        with self._stream() as stream:
            self._skip(stream, start)
            for at in range(start, end, CHUNK_BYTES):
                yield Chunk(at, stream.read(min(CHUNK_BYTES, end - at)))

    def all_chunks(self) -> Iterator[Chunk]:
        """The whole image.

        Raises:
            DamagedImageError: it cannot be unpacked.
        """
        with self._stream() as stream:
            start = 0
            while data := stream.read(CHUNK_BYTES):
                yield Chunk(start, data)
                start += len(data)

    def mapped_chunks(self, bmap: Bmap) -> Iterator[Chunk]:
        """What the block map names, range by range; the checksum of a range is known at its end.

        Raises:
            DamagedImageError: it cannot be unpacked, is too short, or a range has another checksum.
        """
        with self._stream() as stream:
            at = 0
            for one in bmap.ranges:
                self._skip(stream, one.start - at)
                yield from self._range(stream, one, bmap.checksum)
                at = one.end

    def _range(self, stream: BufferedIOBase, one: Range, checksum: str) -> Iterator[Chunk]:
        digest = hashlib.new(checksum)
        at = one.start
        while at < one.end:
            data = stream.read(min(CHUNK_BYTES, one.end - at))
            if not data:
                raise self._damaged(f"ends at {position(at)}, before its block map does")
            digest.update(data)
            yield Chunk(at, data)
            at += len(data)
        if digest.hexdigest() != one.digest:
            raise self._damaged(
                f"differs from its block map between {position(one.start)} and {position(one.end)}"
            )

    def _skip(self, stream: BufferedIOBase, count: int) -> None:
        if not self.is_compressed:
            stream.seek(count, 1)
            return
        while count > 0:
            # Their own seek() goes in steps of 8 kB.
            skipped = len(stream.read(min(CHUNK_BYTES, count)))
            if not skipped:
                return  # the next read says where it ends
            count -= skipped

    @contextmanager
    def _stream(self) -> Iterator[BufferedIOBase]:
        unpacker = _UNPACKERS.get(self.path.suffix)
        try:
            with unpacker(self.path) if unpacker else self.path.open("rb") as stream:
                yield stream
        except PermissionError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror}") from error
        except (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error) as error:
            raise self._damaged(f"cannot be unpacked ({error})") from error

    def _damaged(self, how: str) -> DamagedImageError:
        return DamagedImageError(
            f"{self.path.name} {how}: the file is damaged or belongs to another .bmap; fetch both again"
        )


def read_ahead(chunks: Iterator[Chunk]) -> Generator[Chunk]:
    """The same chunks, the next one unpacked while the caller is busy with the one before."""
    with ThreadPoolExecutor(1, "unpack") as pool:
        following = pool.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = pool.submit(next, chunks, None)
            yield chunk
