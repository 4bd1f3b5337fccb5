import threading
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from rtap.audio.ring_buffer import AudioRingBuffer
from rtap.errors import PipelineError
from rtap.events import AudioChunk
from rtap.pipeline.capture_thread import CaptureThread
from rtap.telemetry import Telemetry
from tests.deadlines import SOON

FRAME = 320


class Sound:
    """Numbered frames, and then what the test wants."""

    def __init__(self, count: int, failure: Exception | None = None) -> None:
        self._count = count
        self._failure = failure
        self.ended = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        for index in range(self._count):
            yield AudioChunk(np.full(FRAME, index, np.float32), index * 0.02)
        self.ended.set()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self._count = 0


def capture(sound: Sound, *, in_real_time: bool) -> tuple[CaptureThread, Telemetry]:
    telemetry = Telemetry(CollectorRegistry())
    buffer = AudioRingBuffer(500, 20)
    return CaptureThread(sound, buffer, telemetry, in_real_time=in_real_time), telemetry


def test_a_file_arrives_whole_however_slowly_it_is_taken() -> None:
    thread, _ = capture(Sound(400), in_real_time=False)
    assert [int(chunk.samples[0]) for chunk in thread.chunks()] == list(range(400))


def test_live_sound_that_nobody_takes_is_lost_oldest_first() -> None:
    sound = Sound(100)
    thread, telemetry = capture(sound, in_real_time=True)
    chunks = thread.chunks()
    taken = [next(chunks)]
    assert sound.ended.wait(SOON)
    taken += chunks
    numbers = [int(chunk.samples[0]) for chunk in taken]
    assert numbers == sorted(numbers)
    assert numbers[-25:] == list(range(75, 100))
    metrics = telemetry.exposition().decode()
    assert 'error_type="BufferOverflowError",stage="capture"' in metrics


def test_what_was_captured_comes_before_the_failure() -> None:
    thread, _ = capture(Sound(5, PipelineError("unplugged: plug it in")), in_real_time=True)
    chunks = thread.chunks()
    numbers = [int(next(chunks).samples[0]) for _ in range(5)]
    with pytest.raises(PipelineError, match="unplugged"):
        next(chunks)
    assert numbers == list(range(5))


def test_frames_keep_their_time() -> None:
    thread, _ = capture(Sound(8), in_real_time=False)
    times = [chunk.captured_at for chunk in thread.chunks()]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(0.14)


def test_closing_ends_it() -> None:
    thread, _ = capture(Sound(1_000_000), in_real_time=False)
    chunks = thread.chunks()
    next(chunks)
    thread.close()
    assert sum(1 for _ in chunks) < 1_000
