"""Sound as Wyoming's clients send it, whatever its format, to mono at 16 kHz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from rtap.audio.resampler import Resampler
from rtap.errors import AudioError

if TYPE_CHECKING:
    from rtap.audio.format import Samples

_TYPES: Final[dict[int, str]] = {1: "u1", 2: "<i2", 4: "<i4"}


class AudioFormat(BaseModel):
    """What an ``audio-start`` says, and every ``audio-chunk`` says again."""

    model_config = ConfigDict(frozen=True, strict=True)

    rate: Annotated[int, Field(ge=8_000, le=192_000)]
    """Hz."""
    width: Literal[1, 2, 4]
    """Bytes of a sample: integers, signed but for single bytes, as in a WAV file."""
    channels: Annotated[int, Field(ge=1, le=8)]


class AudioHeader(AudioFormat):
    """All that is said about sound beside the sound itself."""

    timestamp: Annotated[int | None, Field(ge=-(1 << 62), le=1 << 62)] = None
    """Milliseconds, by the client's own clock."""

    @property
    def format(self) -> AudioFormat:
        """Without the time."""
        return AudioFormat(rate=self.rate, width=self.width, channels=self.channels)


class IncomingAudio:
    """One stream of sound, from its ``audio-start`` to its ``audio-stop``."""

    def __init__(self, start: AudioHeader) -> None:
        self._format = start.format
        self._resampler = Resampler(self._format.rate)

    def push(self, chunk: AudioHeader, payload: bytes) -> Samples:
        """The next samples, mono, 16 kHz; the filter keeps some milliseconds back.

        Raises:
            AudioError: part of a sample, or another format than before.
        """
        if chunk.format != self._format:
            raise AudioError(
                "an audio-chunk has another format than its audio-start: send one stream"
            )
        frame = self._format.width * self._format.channels
        if len(payload) % frame:
            raise AudioError(
                f"an audio-chunk has {len(payload)} bytes: send whole samples of all channels, "
                f"{frame} bytes each"
            )
        pcm = np.frombuffer(payload, _TYPES[self._format.width]).reshape(-1, self._format.channels)
        return self._resampler.push(_scaled(pcm).mean(axis=1, dtype=np.float32))

    def flush(self) -> Samples:
        """What the filter kept; the stream is over."""
        return self._resampler.flush()


def _scaled(pcm: NDArray[Any]) -> Samples:
    if pcm.dtype == np.uint8:
        return (pcm.astype(np.float32) - 128) / np.float32(128)
    return pcm.astype(np.float32) / np.float32(-float(np.iinfo(pcm.dtype).min))
