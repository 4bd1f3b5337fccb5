"""The ring buffer: order, what overflow costs, and one writer against several readers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.audio.ring_buffer import AudioRingBuffer
from tests.deadlines import SOON

FRAME = 320


def frames(first: int, count: int) -> NDArray[np.float32]:
    """Frames of a stream whose samples are numbered."""
    return np.arange(first * FRAME, (first + count) * FRAME, dtype=np.float32).reshape(-1, FRAME)


def write(buffer: AudioRingBuffer, first: int, count: int) -> None:
    for frame in frames(first, count):
        buffer.write(frame)


def test_frames_come_out_in_order_and_once() -> None:
    buffer = AudioRingBuffer(100, 20)
    write(buffer, 0, 4)
    np.testing.assert_array_equal(buffer.read(3), frames(0, 3))
    write(buffer, 4, 3)  # over the end of the array
    np.testing.assert_array_equal(buffer.read(10), frames(3, 4))
    assert buffer.read(10).shape == (0, FRAME)
    assert buffer.dropped_frames == 0


def test_overflow_drops_the_oldest_and_counts() -> None:
    reported: list[int] = []
    buffer = AudioRingBuffer(100, 20, reported.append)
    write(buffer, 0, 7)
    assert buffer.dropped_frames == 2
    assert reported == [1, 1]
    np.testing.assert_array_equal(buffer.read(10), frames(2, 5))
    assert buffer.dropped_frames == 2


def test_utilization_is_what_waits() -> None:
    buffer = AudioRingBuffer(100, 20)
    assert buffer.utilization == 0.0
    write(buffer, 0, 2)
    assert buffer.utilization == pytest.approx(0.4)
    write(buffer, 2, 9)
    assert buffer.utilization == 1.0
    buffer.read(4)
    assert buffer.utilization == pytest.approx(0.2)


def test_latest_looks_back_at_what_was_read_too() -> None:
    buffer = AudioRingBuffer(100, 20)
    assert buffer.latest(50).size == 0
    write(buffer, 0, 1)
    np.testing.assert_array_equal(buffer.latest(1_000), frames(0, 1).ravel())
    write(buffer, 1, 7)
    buffer.read(10)
    np.testing.assert_array_equal(buffer.latest(30), frames(0, 8).ravel()[-480:])
    np.testing.assert_array_equal(buffer.latest(1_000), frames(3, 5).ravel())
    assert buffer.latest(0).size == 0


def test_what_comes_out_is_a_copy() -> None:
    buffer = AudioRingBuffer(40, 20)
    write(buffer, 0, 2)
    read, latest = buffer.read(2), buffer.latest(40)
    write(buffer, 2, 2)
    np.testing.assert_array_equal(read, frames(0, 2))
    np.testing.assert_array_equal(latest, frames(0, 2).ravel())


def test_writes_of_any_size_come_out_as_whole_frames() -> None:
    buffer = AudioRingBuffer(100, 20)
    audio = frames(0, 30).ravel()
    for block in np.split(audio[: 3 * FRAME], [7, 500, 501]):
        buffer.write(block)
    np.testing.assert_array_equal(buffer.read(10), frames(0, 3))
    buffer.write(audio[3 * FRAME : 3 * FRAME + 100])
    assert buffer.read(10).size == 0
    buffer.write(audio[3 * FRAME + 100 :])  # more than it holds
    assert buffer.dropped_frames == 22
    np.testing.assert_array_equal(buffer.read(10), frames(25, 5))
    np.testing.assert_array_equal(buffer.latest(100), frames(25, 5).ravel())


def test_read_waits_for_a_frame() -> None:
    buffer = AudioRingBuffer(100, 20)
    assert buffer.read(1, timeout=0.001).size == 0
    received: list[NDArray[np.float32]] = []
    reader = threading.Thread(target=lambda: received.append(buffer.read(1, timeout=SOON)))
    reader.start()
    write(buffer, 0, 1)
    reader.join(SOON)
    np.testing.assert_array_equal(received[0], frames(0, 1))


@pytest.mark.parametrize(("capacity", "frame"), [(0, 20), (100, 0), (-1, 20)])
def test_lengths_are_positive(capacity: int, frame: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        AudioRingBuffer(capacity, frame)


def test_stereo_is_refused() -> None:
    with pytest.raises(ValueError, match="mono"):
        AudioRingBuffer(100, 20).write(np.zeros((FRAME, 2), dtype=np.float32))


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns as often as they can, so that a missing lock shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_one_writer_and_several_readers() -> None:
    buffer = AudioRingBuffer(80, 20)
    total = 3_000
    done = threading.Event()
    read: list[list[NDArray[np.float32]]] = [[], []]
    looks: list[NDArray[np.float32]] = []

    def take(into: list[NDArray[np.float32]]) -> None:
        while True:
            is_last = done.is_set()
            into.extend(buffer.read(3, timeout=0.001))
            if is_last and buffer.utilization == 0:
                return

    def look() -> None:
        while not done.is_set():
            looks.append(buffer.latest(80))

    readers = [threading.Thread(target=take, args=(into,)) for into in read]
    readers.append(threading.Thread(target=look))
    for reader in readers:
        reader.start()
    write(buffer, 0, total)
    done.set()
    for reader in readers:
        reader.join(SOON)

    for look_back in looks:
        assert (np.diff(look_back) == 1).all()
    for frame in (*read[0], *read[1]):
        assert frame[0] % FRAME == 0
        assert (np.diff(frame) == 1).all()
    firsts = [[float(frame[0]) for frame in into] for into in read]
    assert all(before < after for into in firsts for before, after in pairwise(into))
    assert len(set(firsts[0]) | set(firsts[1])) == len(firsts[0]) + len(firsts[1])
    assert len(firsts[0]) + len(firsts[1]) + buffer.dropped_frames == total


def test_counts_what_waits() -> None:
    buffer = AudioRingBuffer(100, 20)
    assert buffer.waiting_frames == 0
    buffer.write(np.zeros(700, np.float32))
    assert buffer.waiting_frames == 2
    buffer.read(1)
    assert buffer.waiting_frames == 1
