"""Carries sound from the thread that captures it to the one that works on it, through the ring buffer.

However long a stage takes, the microphone is read in time; when the buffer is full, the oldest is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rtap.audio.format import SAMPLE_RATE
from rtap.events import AudioChunk
from rtap.telemetry import OVERFLOW

if TYPE_CHECKING:
    from rtap.audio.ring_buffer import AudioRingBuffer
    from rtap.stages.capture import AudioSource
    from rtap.telemetry import Telemetry

_BATCH: Final = 8
"""Frames that are taken at a time."""
_PATIENCE_SECONDS: Final = 0.1
"""How soon the end of the source is noticed."""
_HALF: Final = 0.5


class CaptureThread:
    """One source, read once.

    Args:
        in_real_time: whether sound comes by itself, and is lost when nobody takes it; otherwise the source is
            read as fast as it is worked on.
    """

    def __init__(
        self,
        source: AudioSource,
        buffer: AudioRingBuffer,
        telemetry: Telemetry,
        *,
        in_real_time: bool,
    ) -> None:
        self._source = source
        self._buffer = buffer
        self._telemetry = telemetry
        self._in_real_time = in_real_time
        self._frame_seconds = buffer.frame_samples / SAMPLE_RATE
        self._captured_at = 0.0
        self._failure: BaseException | None = None
        self._room = threading.Event()
        self._closed = False

    def chunks(self) -> Iterator[AudioChunk]:
        """Frames of the ring buffer's length, until the source ends or :meth:`close`.

        Raises:
            RTAPException: what the source raised, after all that it had delivered.
        """
        thread = threading.Thread(target=self._capture, name="capture", daemon=True)
        thread.start()
        while True:
            ended = not thread.is_alive()
            frames = self._buffer.read(_BATCH, 0.0 if ended else _PATIENCE_SECONDS)
            self._room.set()
            self._telemetry.buffer("audio", self._buffer.utilization)
            last = self._captured_at - self._buffer.waiting_frames * self._frame_seconds
            for index, frame in enumerate(frames):
                behind = (len(frames) - 1 - index) * self._frame_seconds
                yield AudioChunk(frame, last - behind)
            if ended and not len(frames):
                break
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End the source, from any thread."""
        self._closed = True
        self._room.set()
        self._source.close()

    def _capture(self) -> None:
        dropped = self._buffer.dropped_frames
        try:
            for chunk in self._source.chunks():
                if not self._in_real_time:
                    self._wait_for_room()
                if self._closed:
                    return
                self._buffer.write(chunk.samples)
                self._captured_at = chunk.captured_at
                lost = self._buffer.dropped_frames - dropped
                if lost:
                    dropped += lost
                    self._telemetry.frames_dropped("capture", lost)
                    self._telemetry.error("capture", OVERFLOW)
        except BaseException as error:  # noqa: BLE001 (it is raised where the frames are taken)
            self._failure = error

    def _wait_for_room(self) -> None:
        while self._buffer.utilization > _HALF and not self._closed:
            self._room.clear()
            self._room.wait(_PATIENCE_SECONDS)
