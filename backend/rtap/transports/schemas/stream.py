"""What ``/stream`` and its clients say to each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rtap.audio.format import SAMPLE_RATE
from rtap.events import PartialTranscript, Transcript
from rtap.transports.schemas.common import Text, UtteranceResult, WireModel, example

StreamFormat = Literal["f32le", "s16le"]
"""Little-endian samples: 32-bit floats within -1 to 1, or 16-bit integers."""


class StreamConfig(WireModel):
    """What a client may send before its first audio, or give in the address; it is told in ``ready``."""

    model_config = example(type="config", language="en", format="s16le", sample_rate=48000)

    type: Literal["config"] = "config"
    language: Annotated[str | None, Field(max_length=64)] = None
    """Whisper's code, an English name, or ``auto``; null: as configured."""
    format: StreamFormat = "f32le"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = SAMPLE_RATE
    """Hz."""
    intents: Literal["none", "understand", "execute"] = "none"
    """Whether commands in what is said are told of as ``intent``, or the car is to do them as well, which is
    told as ``action``."""
    conversation: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Streams that give the same name, which a client makes up, are one conversation: what is said in one may
    answer what was asked in the one before. ``microphone`` is the conversation with the service's own
    microphone, which stops listening where such a stream begins. Null: a conversation of its own."""
    speak: bool = False
    """Whether the service's loudspeaker is to speak the answers too, for a client that is in the same room.
    The stream hears silence meanwhile."""


class StreamEndRequest(WireModel):
    """A client's last message: what was said so far becomes text, then the service says ``end`` too."""

    model_config = example(type="end")

    type: Literal["end"] = "end"


class StreamEnd(WireModel):
    """The service's last message, in answer to the client's ``end``: there are no more finals."""

    model_config = example(type="end", timestamp=1698345604.0, session_id="f3a9")

    type: Literal["end"] = "end"
    timestamp: float
    session_id: str


class StreamReady(WireModel):
    """First message on ``/stream``: audio may be sent. Sent again in answer to ``config``."""

    model_config = example(
        type="ready",
        timestamp=1698345600.0,
        session_id="f3a9",
        model="cabin-en",
        sample_rate=16000,
        channels=1,
        format="f32le",
        language="en",
    )

    type: Literal["ready"] = "ready"
    timestamp: float
    session_id: str
    model: str
    sample_rate: int = SAMPLE_RATE
    """Hz of the audio that is expected."""
    channels: Literal[1] = 1
    format: StreamFormat = "f32le"
    """Of the samples in binary frames of any length."""
    language: str | None = None
    """Whisper's code; null: it is detected."""
    intents: Literal["none", "understand", "execute"] = "none"


class StreamPartial(WireModel):
    """What was understood so far; later ones of the same utterance only ever add to it."""

    model_config = example(
        type="partial",
        text="Hello",
        timestamp=1698345600.789,
        session_id="f3a9",
        utterance_id="f3a9-1",
    )

    type: Literal["partial"] = "partial"
    text: Text
    timestamp: float
    session_id: str
    utterance_id: str


class StreamFinal(UtteranceResult):
    """What was said in one utterance."""

    model_config = example(
        type="final",
        text="Hello world",
        timestamp=1698345602.123,
        session_id="f3a9",
        utterance_id="f3a9-1",
        language="en",
        language_probability=0.98,
        duration=1.6,
        inference_time=0.21,
        latency=0.74,
        confidence=0.93,
        sentiment=None,
    )

    type: Literal["final"] = "final"


class StreamError(WireModel):
    """Something failed. The connection stays open unless a close frame follows."""

    model_config = example(
        type="error",
        timestamp=1698345600.0,
        code="bad_audio",
        message="a frame had 6 bytes: send whole float32 samples",
    )

    type: Literal["error"] = "error"
    timestamp: float
    code: str
    """For programs: ``bad_audio``, ``queue_full``, ..."""
    message: Text
    """For people: what is wrong and what to do about it."""
    retry_after: float | None = None
    """Seconds after which it may be worth trying again, where the code is ``overloaded``."""


def stream_message(event: PartialTranscript | Transcript) -> StreamPartial | StreamFinal:
    """The message that tells a client of ``/stream`` what it said."""
    if isinstance(event, PartialTranscript):
        return StreamPartial.model_validate(event)
    return StreamFinal.model_validate(event)
