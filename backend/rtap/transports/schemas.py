"""Everything that goes over the wire: REST replies, ``/stream``, and the events of ZeroMQ and port 5802.

Times are seconds since the epoch, durations are seconds. Fields may be added, none is ever taken away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rtap.audio_format import SAMPLE_RATE
from rtap.events import (
    ErrorOccurred,
    Event,
    ListeningChanged,
    PartialTranscript,
    PublishingChanged,
    SpeechStarted,
    SpeechStopped,
    State,
    StateChanged,
    Transcript,
    WakeWordDetected,
)

if TYPE_CHECKING:
    from rtap.service import Health
    from rtap.whisper.result import Segment, Transcription


def _encodable(text: object) -> object:
    # File names in messages may hold what is not Unicode; one of them must not cost the whole message.
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


def _is_empty(value: tuple[object, ...]) -> bool:
    return not value


def _is_none(value: object) -> bool:
    return value is None


Text = Annotated[str, BeforeValidator(_encodable)]
# Documented, not checked: a rounding error beyond 1 must not cost the message either.
Probability = Annotated[float, Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class WireModel(BaseModel):
    """What all messages have in common: they do not change, and hold nothing undeclared."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", from_attributes=True, use_attribute_docstrings=True
    )


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


# ---- REST


class ServiceInfo(WireModel):
    """Reply of ``GET /``."""

    model_config = _example(
        name="Whisper ONNX Transcription Backend", version="1.0.0", status="running"
    )

    name: str = "Whisper ONNX Transcription Backend"
    version: str
    status: Literal["running"] = "running"


class HealthReply(WireModel):
    """Reply of ``GET /health``: 200 when healthy, otherwise 503 with the reason."""

    model_config = _example(status="healthy", model_loaded=True, timestamp=1698345600.123)

    status: Literal["healthy", "unhealthy"]
    model_loaded: bool
    timestamp: float
    reason: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    """What is wrong and what to do about it; absent when healthy."""
    checks: Annotated[dict[str, str], Field(exclude_if=lambda checks: not checks)] = {}
    """Each part that was looked at, and ``ok`` or what is wrong with it; absent when nothing was."""
    warning: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    """What works and may still disappoint, such as a model of few words; absent when nothing does."""

    @classmethod
    def of(cls, health: Health) -> Self:
        """How the service is at this moment."""
        return cls(
            status="healthy" if health.healthy else "unhealthy",
            model_loaded=health.model_loaded,
            timestamp=time.time(),
            reason=None if health.healthy else health.reason or "no reason was given: see the log",
            checks=dict(health.checks),
            warning=health.warning or None,
        )


class ModelInfo(WireModel):
    """Reply of ``GET /model/info``."""

    model_config = _example(
        model_name="whisper-base-onnx",
        model_path="/app/models/whisper-base-onnx",
        sample_rate=16000,
        onnx_runtime_version="1.27.0",
        num_threads=4,
        precision="int8",
        parameters=72593920,
        languages=["de", "en"],
        version="1.0.0",
        system="1.0.0 (20261101093000, release)",
    )

    model_name: str
    model_path: Text
    sample_rate: int = SAMPLE_RATE
    """Hz that the model hears; audio of any other rate is converted."""
    onnx_runtime_version: str
    num_threads: int
    """Threads that one inference may use."""
    precision: str
    """``fp32``, ``fp16``, ``int8``, ``w8`` or ``w4``."""
    parameters: int
    languages: tuple[str, ...]
    """Whisper's codes."""
    version: str
    """Of this service."""
    system: Text | None = None
    """Version of the device's image, its build and its variant; null where the service isn't part of one."""
    warning: Annotated[Text | None, Field(exclude_if=_is_none)] = None
    """What a user of this model should know, such as that it knows few words; absent where nothing."""


class ModelCard(WireModel):
    """A model that can be loaded, as OpenAI's API describes one."""

    id: str
    """Its name, for ``PUT /model``."""
    object: Literal["model"] = "model"
    created: int
    """When its manifest was written; seconds since the epoch."""
    owned_by: str = "rtap"


class ModelList(WireModel):
    """Reply of ``GET /v1/models``."""

    model_config = _example(
        object="list",
        data=[{"id": "cabin-en", "object": "model", "created": 1698345600, "owned_by": "rtap"}],
    )

    object: Literal["list"] = "list"
    data: tuple[ModelCard, ...]


class ModelRequest(WireModel):
    """Body of ``PUT /model``."""

    model_config = _example(model_name="cabin-en")

    model_name: Annotated[str, Field(min_length=1, max_length=255)]
    """One of ``GET /v1/models``."""


class Listening(WireModel):
    """Reply of ``GET /listening`` and ``PUT /listening``."""

    model_config = _example(available=True, enabled=True)

    available: bool
    """Whether the service has a microphone of its own."""
    enabled: bool
    """Whether it listens to it."""


class ListeningRequest(WireModel):
    """Body of ``PUT /listening``."""

    model_config = _example(enabled=False)

    enabled: bool


class WordReply(WireModel):
    """A word in a segment."""

    word: Text
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    probability: Probability


class SegmentReply(WireModel):
    """A stretch of speech in a transcription."""

    start: float
    """Seconds from the beginning of the audio."""
    end: float
    text: Text
    words: Annotated[tuple[WordReply, ...] | None, Field(exclude_if=_is_none)] = None
    """Present when asked for."""

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """As it was recognized."""
        words = tuple(
            WordReply(
                word=word.text.strip(), start=word.start, end=word.end, probability=word.probability
            )
            for word in segment.words
        )
        return cls(start=segment.start, end=segment.end, text=segment.text.strip(), words=words)


class TranscriptionReply(WireModel):
    """Reply of ``POST /transcribe`` and ``POST /transcribe/base64``."""

    model_config = _example(
        text="Hello world, this is a test.",
        language="en",
        duration=5.2,
        inference_time=2.1,
        total_time=2.3,
        rtf=0.40,
        timestamp=1698345600.456,
        request_id="5f0c9a1e",
    )

    text: Text
    language: str | None
    """Whisper's code; null when nothing was understood."""
    duration: float
    """Length of the audio."""
    inference_time: float
    """Time in the model."""
    total_time: float
    """From the request to this reply, time in the queue included."""
    rtf: float
    """Real-time factor: inference time over duration; 0 for audio without length."""
    timestamp: float
    request_id: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """As in ``X-Request-ID`` and in the log."""
    segments: Annotated[tuple[SegmentReply, ...] | None, Field(exclude_if=_is_none)] = None
    """Present when asked for."""
    warnings: Annotated[tuple[str, ...], Field(exclude_if=_is_empty)] = ()
    """What is wrong with the audio although it was used, as that its end is missing; absent when nothing is.
    The header ``X-Audio-Warning`` says it too."""

    @classmethod
    def of(
        cls,
        transcription: Transcription,
        *,
        total_time: float,
        request_id: str,
        warnings: tuple[str, ...],
        words: bool,
    ) -> Self:
        """The reply for a transcription, with its segments where ``words`` were asked for."""
        segments = tuple(SegmentReply.of(segment) for segment in transcription.segments)
        return cls(
            text=transcription.text,
            language=transcription.language,
            duration=transcription.duration,
            inference_time=transcription.inference_time,
            total_time=total_time,
            rtf=transcription.real_time_factor,
            timestamp=time.time(),
            request_id=request_id,
            segments=segments if words else None,
            warnings=warnings,
        )


class TranscribeFields(WireModel):
    """What may be said about the audio of a request."""

    language: Annotated[str | None, Field(max_length=64)] = None
    """Whisper's code, an English name, or ``auto``; null: as configured."""
    task: Literal["transcribe", "translate"] = "transcribe"
    """``translate`` gives English whatever was spoken."""
    normalize: bool = True
    """Whether quiet and loud speech is brought to one level before it is recognised."""
    trim_silence: bool = True
    """Whether silence is left out; false lets the model hear all of it."""
    word_timestamps: bool = False
    """Whether the reply tells when each word was spoken; the model must be able to."""


class Base64Request(TranscribeFields):
    """Body of ``POST /transcribe/base64``."""

    model_config = _example(
        audio_base64="UklGRi4AAABXQVZFZm10IBAA...", language="en", task="transcribe"
    )

    audio_base64: Annotated[str, Field(min_length=1, repr=False)]
    """A whole audio file (WAV, FLAC, OGG or MP3) in Base64, or a ``data:`` URL of one."""


class ErrorDetail(WireModel):
    """What went wrong."""

    code: str
    """For programs: ``audio_too_long``, ``queue_full``, ..."""
    message: Text
    """For people: what is wrong and what to do about it."""
    type: str
    """The kind, in OpenAI's words: ``invalid_request_error``, ``authentication_error``, ``rate_limit_error``
    or ``server_error``."""
    param: Text | None = None
    """The field that is at fault; null where it is not one of them."""
    request_id: str | None = None
    """As in ``X-Request-ID`` and in the log."""


class ErrorReply(WireModel):
    """Reply of every request that failed."""

    model_config = _example(
        error={
            "code": "audio_too_long",
            "message": "the audio is 700 s long: send at most 600 s at a time",
            "type": "invalid_request_error",
            "param": None,
            "request_id": "5f0c9a1e",
        }
    )

    error: ErrorDetail


# ---- events: ZeroMQ, port 5802


class SentimentMessage(WireModel):
    """The mood of an English text."""

    label: Literal["positive", "neutral", "negative"]
    score: float
    """Compound score, -1 to 1."""


class WakeWordDetectedMessage(WireModel):
    """Somebody called the assistant."""

    model_config = _example(
        type="wake_word_detected",
        timestamp=1698345600.1,
        session_id="f3a9",
        name="hey_mycroft",
    )

    type: Literal["wake_word_detected"] = "wake_word_detected"
    timestamp: float
    session_id: str
    name: str
    """Of the wake word."""


class SpeechStartedMessage(WireModel):
    """Somebody began to speak."""

    model_config = _example(type="speech_started", timestamp=1698345600.4, session_id="f3a9")

    type: Literal["speech_started"] = "speech_started"
    timestamp: float
    session_id: str


class SpeechStoppedMessage(WireModel):
    """An utterance ended; its transcript follows."""

    model_config = _example(
        type="speech_stopped", timestamp=1698345602.0, session_id="f3a9", utterance_id="f3a9-1"
    )

    type: Literal["speech_stopped"] = "speech_stopped"
    timestamp: float
    """When the last speech was captured, before the silence that ended the utterance."""
    session_id: str
    utterance_id: str


class StateChangedMessage(WireModel):
    """The pipeline went to any state but PROCESSING, for which there is ``processing_started``."""

    model_config = _example(
        type="state_changed",
        timestamp=1698345600.2,
        previous="IDLE",
        state="LISTENING",
        reason="heard hey_mycroft",
    )

    type: Literal["state_changed"] = "state_changed"
    timestamp: float
    previous: State
    state: State
    reason: Text


class ProcessingStartedMessage(WireModel):
    """The pipeline went to the state PROCESSING. Sent in place of ``state_changed``, with the same fields."""

    model_config = _example(
        type="processing_started",
        timestamp=1698345602.3,
        previous="LISTENING",
        state="PROCESSING",
        reason="end of speech",
    )

    type: Literal["processing_started"] = "processing_started"
    timestamp: float
    previous: State
    state: State
    reason: Text


class ListeningChangedMessage(WireModel):
    """The microphone was switched on or off."""

    model_config = _example(type="listening_changed", timestamp=1698345600.0, enabled=False)

    type: Literal["listening_changed"] = "listening_changed"
    timestamp: float
    enabled: bool


class PublishingChangedMessage(WireModel):
    """This one of two instances took over the publishing of what the microphone hears, or handed it over."""

    model_config = _example(
        type="publishing_changed",
        timestamp=1698345600.0,
        publishing=True,
        reason="nothing was heard of the primary for 0.5 s",
    )

    type: Literal["publishing_changed"] = "publishing_changed"
    timestamp: float
    publishing: bool
    reason: Text


class PartialMessage(WireModel):
    """What was understood so far; later ones of the same utterance only ever add to it."""

    model_config = _example(
        type="partial",
        timestamp=1698345601.2,
        session_id="f3a9",
        utterance_id="f3a9-1",
        text="Turn on",
    )

    type: Literal["partial"] = "partial"
    timestamp: float
    session_id: str
    utterance_id: str
    text: Text


class TranscriptMessage(WireModel):
    """What was said in one utterance."""

    model_config = _example(
        type="transcript",
        timestamp=1698345602.6,
        session_id="f3a9",
        utterance_id="f3a9-1",
        text="Turn on the heating.",
        language="en",
        language_probability=0.98,
        duration=1.6,
        inference_time=0.21,
        latency=0.74,
        confidence=0.93,
        source="microphone",
        sentiment={"label": "neutral", "score": 0.0},
    )

    type: Literal["transcript"] = "transcript"
    timestamp: float
    session_id: str
    utterance_id: str
    text: Text
    language: str | None
    """Whisper's code; null when nothing was understood."""
    language_probability: Probability
    duration: float
    """Length of the utterance's audio."""
    inference_time: float
    latency: float
    """From the end of speech to this transcript, the silence that ended it included."""
    confidence: Probability
    """Mean probability of the tokens."""
    source: Literal["microphone", "stream", "file"]
    sentiment: SentimentMessage | None = None


class ErrorMessage(WireModel):
    """Something failed; the service goes on."""

    model_config = _example(
        type="error",
        timestamp=1698345600.9,
        stage="capture",
        error_type="AudioError",
        message="the microphone is gone: plug it in again",
    )

    type: Literal["error"] = "error"
    timestamp: float
    stage: str
    error_type: str
    message: Text


EventMessage = (
    WakeWordDetectedMessage
    | SpeechStartedMessage
    | SpeechStoppedMessage
    | StateChangedMessage
    | ProcessingStartedMessage
    | ListeningChangedMessage
    | PublishingChangedMessage
    | PartialMessage
    | TranscriptMessage
    | ErrorMessage
)
"""One event of the bus, told apart by ``type``."""


class Snapshot(WireModel):
    """First message on port 5802: how things stand. Every later event follows."""

    model_config = _example(
        type="snapshot",
        timestamp=1698345600.0,
        state="IDLE",
        model="cabin-en",
        version="1.0.0",
        listening=True,
        publishing=True,
        last_transcript=None,
    )

    type: Literal["snapshot"] = "snapshot"
    timestamp: float
    state: State
    model: str | None
    """Name of the model; null until one is loaded."""
    version: str
    """Of this service."""
    listening: bool | None = None
    """Whether the service listens to its microphone; null: it has none."""
    publishing: bool = True
    """Whether what the microphone hears is published here; false on a standby whose primary does it."""
    last_transcript: TranscriptMessage | None = None


class DroppedMessage(WireModel):
    """On port 5802: the client read too slowly, and this many events between here and there are lost."""

    model_config = _example(type="dropped", timestamp=1698345600.0, count=12)

    type: Literal["dropped"] = "dropped"
    timestamp: float
    count: Annotated[int, Field(gt=0)]


# ---- WebSocket /stream


StreamFormat = Literal["f32le", "s16le"]
"""Little-endian samples: 32-bit floats within -1 to 1, or 16-bit integers."""


class StreamConfig(WireModel):
    """What a client may send before its first audio, or give in the address; it is told in ``ready``."""

    model_config = _example(type="config", language="en", format="s16le", sample_rate=48000)

    type: Literal["config"] = "config"
    language: Annotated[str | None, Field(max_length=64)] = None
    """Whisper's code, an English name, or ``auto``; null: as configured."""
    format: StreamFormat = "f32le"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = SAMPLE_RATE
    """Hz."""


class StreamEndRequest(WireModel):
    """A client's last message: what was said so far becomes text, then the service says ``end`` too."""

    model_config = _example(type="end")

    type: Literal["end"] = "end"


class StreamEnd(WireModel):
    """The service's last message, in answer to the client's ``end``: there are no more finals."""

    model_config = _example(type="end", timestamp=1698345604.0, session_id="f3a9")

    type: Literal["end"] = "end"
    timestamp: float
    session_id: str


class StreamReady(WireModel):
    """First message on ``/stream``: audio may be sent. Sent again in answer to ``config``."""

    model_config = _example(
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


class StreamPartial(WireModel):
    """What was understood so far; later ones of the same utterance only ever add to it."""

    model_config = _example(
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


class StreamFinal(WireModel):
    """What was said in one utterance."""

    model_config = _example(
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
    text: Text
    timestamp: float
    session_id: str
    utterance_id: str
    language: str | None
    """Whisper's code; null when nothing was understood."""
    language_probability: Probability
    duration: float
    """Length of the utterance's audio."""
    inference_time: float
    latency: float
    """From the end of speech to this transcript, the silence that ended it included."""
    confidence: Probability
    """Mean probability of the tokens."""
    sentiment: SentimentMessage | None = None


class StreamError(WireModel):
    """Something failed. The connection stays open unless a close frame follows."""

    model_config = _example(
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
    retry_after: float | None = None
    """Seconds after which it may be worth trying again, where the code is ``overloaded``."""
    """For people: what is wrong and what to do about it."""


# ---- from events to messages


_MESSAGES: Final[Mapping[type[Event], type[EventMessage]]] = {
    WakeWordDetected: WakeWordDetectedMessage,
    SpeechStarted: SpeechStartedMessage,
    SpeechStopped: SpeechStoppedMessage,
    StateChanged: StateChangedMessage,
    ListeningChanged: ListeningChangedMessage,
    PublishingChanged: PublishingChangedMessage,
    PartialTranscript: PartialMessage,
    Transcript: TranscriptMessage,
    ErrorOccurred: ErrorMessage,
}


def event_message(event: Event) -> EventMessage:
    """The message that tells clients of an event."""
    if isinstance(event, StateChanged) and event.state is State.PROCESSING:
        return ProcessingStartedMessage.model_validate(event)
    return _MESSAGES[type(event)].model_validate(event)


def topic_of(event: Event) -> str:
    """ZeroMQ topic of an event: its message's ``type``, for transcripts with the language behind a dot.

    ZeroMQ compares beginnings, so a subscription to ``transcript`` gets every language and one to
    ``transcript.de`` German only. Nothing understood is ``transcript.und``. The one pair of languages
    of which one begins like the other is Hausa (``ha``) and Hawaiian (``haw``).
    """
    if isinstance(event, Transcript):
        return f"transcript.{event.language or 'und'}"
    return event_message(event).type


def stream_message(event: PartialTranscript | Transcript) -> StreamPartial | StreamFinal:
    """The message that tells a client of ``/stream`` what it said."""
    if isinstance(event, PartialTranscript):
        return StreamPartial.model_validate(event)
    return StreamFinal.model_validate(event)
