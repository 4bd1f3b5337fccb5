"""How long the ring buffer takes for one write and one read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rtap.audio.format import SAMPLE_RATE
from rtap.audio.ring_buffer import AudioRingBuffer
from rtap.config import AudioConfig
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service.plan import Plan

NAME: Final = "ring_buffer"
WHAT: Final = """\
One frame of 20 ms written, one frame read, in a buffer of 4 s. *Alone*: one thread does both in turns.
*With a reader*: a thread of its own reads each frame as soon as it was written, with a frame every 0.2 ms,
a hundred times as fast as a microphone; waiting for a frame is not in it."""

WRITE_MS: Final = 0.1
READ_MS: Final = 0.05
_OPERATIONS, _QUICK_OPERATIONS = 100_000, 2_000
_PERIOD_SECONDS: Final = 0.0002
_FRAME_MS: Final = 20
_MS: Final = 1e-6
"""In a nanosecond."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of single operations, in ms."""

    writes: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)


def measure(plan: Plan) -> Result:
    """Both ways."""
    operations = plan.size(_OPERATIONS, _QUICK_OPERATIONS)
    figures: list[Figure] = []
    for kind, times in (("alone", alone(operations)), ("with a reader", with_reader(operations))):
        figures += percentiles(f"write, {kind}", distribution(times.writes), "ms", WRITE_MS)
        figures += percentiles(f"read, {kind}", distribution(times.reads), "ms", READ_MS)
    return Result(NAME, WHAT, figures, (f"{operations} writes and as many reads, each way.",))


def alone(operations: int) -> Times:
    """Write and read in turns."""
    buffer, frame, times = _buffer(), _frame(), Times()
    for _ in range(operations):
        times.writes.append(_timed(lambda: buffer.write(frame)))
        times.reads.append(_timed(lambda: buffer.read(1)))
    return times


def with_reader(operations: int) -> Times:
    """Write while another thread reads."""
    buffer, frame, times = _buffer(), _frame(), Times()
    written = threading.Semaphore(0)

    def read() -> None:
        for _ in range(operations):
            written.acquire()
            times.reads.append(_timed(lambda: buffer.read(1)))

    reader = threading.Thread(target=read, name="reader")
    reader.start()
    for _ in range(operations):
        times.writes.append(_timed(lambda: buffer.write(frame)))
        written.release()
        time.sleep(_PERIOD_SECONDS)
    reader.join()
    return times


def _timed(operation: Callable[[], object]) -> float:
    begin = time.perf_counter_ns()
    operation()
    return (time.perf_counter_ns() - begin) * _MS


def _buffer() -> AudioRingBuffer:
    return AudioRingBuffer(AudioConfig().ring_buffer_size_ms, _FRAME_MS)


def _frame() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(SAMPLE_RATE * _FRAME_MS // 1000, 0.5, np.float32)
