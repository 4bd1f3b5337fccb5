"""What a client of ``/stream`` sends: bytes to samples, and the samples that wait."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from rtap.audio.pcm16 import from_pcm16
from rtap.errors import AudioError

if TYPE_CHECKING:
    from rtap.audio.format import Samples
    from rtap.transports.schemas import StreamFormat

MAX_PEAK: Final = 100.0
"""Overdriven sound is a little beyond full scale (1.0); far beyond it, samples were never scaled."""
_BLOCK_SECONDS: Final = 0.1
_BYTES: Final[dict[StreamFormat, int]] = {"f32le": 4, "s16le": 2}


def decode_frame(data: bytes, sample_format: StreamFormat) -> Samples:
    """The samples of a binary frame, within -1 to 1; none for an empty frame.

    Raises:
        AudioError: part of a sample, samples that are not numbers, or none that were ever scaled.
    """
    size = _BYTES[sample_format]
    if len(data) % size:
        raise AudioError(
            f"a frame has {len(data)} bytes: send whole {sample_format} samples, {size} bytes each"
        )
    if sample_format == "s16le":
        return from_pcm16(np.frombuffer(data, np.dtype(np.int16).newbyteorder("<")))
    samples = np.frombuffer(data, np.dtype(np.float32).newbyteorder("<"))
    peak = float(np.abs(samples).max(initial=0.0))
    if peak <= MAX_PEAK:
        return np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)
    if np.isfinite(peak):
        raise AudioError(
            f"a frame has samples up to {peak:.4g}, where full scale is 1: divide them by 32768, or say "
            f"format=s16le if they are 16-bit integers"
        )
    raise AudioError(
        "a frame has samples that are not numbers: send f32le, or say format=s16le if they are integers"
    )


class _Block:
    """Samples that came one after the other, in memory of their own."""

    def __init__(self, size: int) -> None:
        self._samples: Samples = np.empty(size, np.float32)
        self._begin = 0
        self._end = 0
        self.arrived_at = 0.0
        """When the last of them was captured."""

    @property
    def size(self) -> int:
        return self._end - self._begin

    @property
    def room(self) -> int:
        return self._samples.size - self._end

    def add(self, samples: Samples, arrived_at: float) -> None:
        self._samples[self._end : self._end + samples.size] = samples
        self._end += samples.size
        self.arrived_at = arrived_at

    def take(self, most: int) -> Samples:
        begin = self._begin
        self._begin = min(self._end, begin + most)
        return self._samples[begin : self._begin]


class AudioBacklog:
    """What a client sent and nobody looked at yet.

    It is joined into blocks: a frame of one sample costs four bytes here, and not the hundred of an array.

    Args:
        rate: in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._block_size = max(1, round(rate * _BLOCK_SECONDS))
        self._blocks: deque[_Block] = deque()
        self._samples = 0

    @property
    def seconds(self) -> float:
        """How much it is."""
        return self._samples / self._rate

    def add(self, samples: Samples, arrived_at: float) -> None:
        """Take a frame; its memory is not kept.

        Args:
            arrived_at: when its last sample was captured, as far as one can know.
        """
        self._samples += samples.size
        left = samples.size
        while left:
            if not self._blocks or not self._blocks[-1].room:
                self._blocks.append(_Block(self._block_size))
            block = self._blocks[-1]
            part = samples[samples.size - left :][: block.room]
            left -= part.size
            block.add(part, arrived_at - left / self._rate)

    def take(self, seconds: float) -> tuple[Samples, float] | None:
        """The oldest samples, at most so much of them, and when the last one was captured; None: no more."""
        if not self._samples:
            return None
        wanted = max(1, round(seconds * self._rate))
        parts: list[Samples] = []
        captured_at = 0.0
        while self._blocks and wanted:
            block = self._blocks[0]
            parts.append(block.take(wanted))
            wanted -= parts[-1].size
            captured_at = block.arrived_at - block.size / self._rate
            if not block.size:
                self._blocks.popleft()
        taken = np.concatenate(parts)
        self._samples -= taken.size
        return taken, captured_at
