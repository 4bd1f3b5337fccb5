"""Writing and reading back, on media that lie."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rtap.errors import ConfigurationError
from tools.system.disk_image.image_file import CHUNK_BYTES, Chunk
from tools.system.flashing import copying
from tools.system.flashing.medium import MediumError

CHUNKS = [Chunk(0, b"a" * 4096), Chunk(8192, os.urandom(8192)), Chunk(40960, b"z" * 100)]


class Memory:
    """A medium of bytes."""

    def __init__(self, length: int = 65536) -> None:
        self.content = bytearray(b"\xee" * length)
        self.is_settled = False

    def write(self, start: int, data: bytes) -> None:
        self.content[start : start + len(data)] = data
        self.is_settled = False

    def read(self, start: int, length: int) -> bytes:
        return bytes(self.content[start : start + length])

    def settle(self) -> None:
        self.is_settled = True


class Fading(Memory):
    """Takes everything and reports no error, but one bit does not hold."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place

    def settle(self) -> None:
        self.content[self._place] ^= 0x10
        super().settle()


class Fake64(Memory):
    """A forged card: its upper half is its lower half."""

    def write(self, start: int, data: bytes) -> None:
        super().write(start % 32768, data)

    def read(self, start: int, length: int) -> bytes:
        return super().read(start % 32768, length)


class Flickering(Memory):
    """Reads wrong once, and right ever after."""

    def __init__(self) -> None:
        super().__init__()
        self._is_wrong = True

    def read(self, start: int, length: int) -> bytes:
        data = super().read(start, length)
        if self._is_wrong and start == 8192:
            self._is_wrong = False
            return data[:-1] + bytes([data[-1] ^ 1])
        return data


def flash(memory: Memory) -> list[int]:
    steps: list[int] = []
    written = copying.write(CHUNKS, memory, 65536, steps.append)
    copying.compare(written, memory, iter(CHUNKS), steps.append)
    return steps


def test_writes_only_what_it_is_given() -> None:
    memory = Memory()
    steps = flash(memory)
    expected = bytearray(b"\xee" * 65536)
    for start, data in CHUNKS:
        expected[start : start + len(data)] = data
    assert memory.content == expected
    assert memory.is_settled
    assert steps == [4096, 8192, 100] * 2


@pytest.mark.parametrize("place", [0, 4095, 8192, 12345, 16383, 40960, 41059])
def test_first_differing_byte_is_named(place: int) -> None:
    with pytest.raises(MediumError, match=rf"byte {place} .*try another card"):
        flash(Fading(place))


def test_what_was_not_written_may_change() -> None:
    flash(Fading(5000))


def test_difference_shows_both_bytes() -> None:
    with pytest.raises(MediumError, match=r"reads 0x71 where 0x61 was written"):
        flash(Fading(0))


def test_forged_size_is_found() -> None:
    with pytest.raises(MediumError, match="byte 8192 "):
        flash(Fake64())


def test_medium_that_reads_wrong_once_is_bad() -> None:
    with pytest.raises(MediumError, match="byte 16383 "):
        flash(Flickering())


def test_right_medium_needs_the_image_only_once() -> None:
    memory = Memory()
    written = copying.write(CHUNKS, memory, None, lambda _count: None)

    def never() -> Iterator[Chunk]:
        pytest.fail("the image was read again")
        yield

    copying.compare(written, memory, never(), lambda _count: None)


def test_stops_before_the_end_of_the_medium() -> None:
    memory = Memory(40000)
    with pytest.raises(ConfigurationError, match=r"too small.*larger card"):
        copying.write(CHUNKS, memory, 40000, lambda _count: None)
    assert len(memory.content) == 40000


def test_zeros_end_where_they_should() -> None:
    end = 100 + CHUNK_BYTES + 7
    chunks = list(copying.zeros(100, end))
    assert [(chunk.start, len(chunk.data)) for chunk in chunks] == [
        (100, CHUNK_BYTES),
        (100 + CHUNK_BYTES, 7),
    ]
    assert not b"".join(chunk.data for chunk in chunks).strip(b"\0")
