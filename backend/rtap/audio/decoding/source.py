"""The bytes of an audio file, read at any place without moving its descriptor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rtap.errors import AudioError

Region = tuple[int, int]
"""Where bytes begin, and where they end, in a file."""

CONVERT: Final = "convert it, as with `ffmpeg -i recording recording.flac`"
DAMAGED: Final = "{name} is cut off or damaged: record, export or copy it again"
"""What every reader says of such a file."""
_COPY_SIZE: Final = 1 << 18


class DearAudioError(AudioError):
    """Decoding it would take longer than it may."""

    def __init__(self, name: str, rate: int, channels: int) -> None:
        """Make the error; the rate is in Hz."""
        super().__init__(
            f"{name} holds more sound than is decoded at a time ({rate} Hz, {channels} channels): convert it "
            f"to 16 kHz mono, or send it in parts"
        )


@dataclass(frozen=True, slots=True)
class Source:
    """An open audio file."""

    descriptor: int
    size: int
    """Bytes that it had when it was opened."""
    name: str
    """As it is called in messages."""
    most_values: int | None = None
    """Samples, those of every channel counted, that may be decoded; None: all."""

    def read(self, start: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``start`` on; fewer at the end.

        Raises:
            AudioError: the disk or the network failed.
        """
        try:
            return os.pread(self.descriptor, max(0, min(count, self.size - start)), start)
        except OSError as error:
            raise AudioError(f"{self.name} cannot be read: copy it again") from error

    def pieces(self, regions: Sequence[Region]) -> Iterator[bytes]:
        """All bytes of some regions, a quarter of a megabyte at most at a time."""
        for start, end in regions:
            for position in range(start, end, _COPY_SIZE):
                yield self.read(position, min(_COPY_SIZE, end - position))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an audio file that libsndfile reads to its end when it gets nothing but this.

    Without prefix and regions it is the file as it is.
    """

    prefix: bytes = b""
    """Header that comes first."""
    regions: tuple[Region, ...] = ()
    warning: str | None = None
    """What is wrong with it although it is read, behind the file's name."""

    @property
    def is_whole_file(self) -> bool:
        """Whether the file can be read as it is."""
        return not self.prefix and not self.regions

    @property
    def size(self) -> int:
        """Bytes, where it is not the whole file."""
        return len(self.prefix) + sum(end - start for start, end in self.regions)


WHOLE_FILE: Final = Part()
