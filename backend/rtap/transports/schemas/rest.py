"""Bodies and replies of the HTTP API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from rtap.audio.format import SAMPLE_RATE
from rtap.intents.question import Kind
from rtap.transports.schemas.common import (
    Probability,
    Text,
    TranscriptionFigures,
    WireModel,
    example,
    is_empty,
    is_none,
)
from rtap.transports.schemas.intents import ActionFields, AnswerFields, Understood

if TYPE_CHECKING:
    from rtap.transports.service import Health
    from rtap.whisper.result import Segment, Transcription


class ServiceInfo(WireModel):
    """Reply of ``GET /``."""

    model_config = example(
        name="Whisper ONNX Transcription Backend", version="1.0.0", status="running"
    )

    name: str = "Whisper ONNX Transcription Backend"
    version: str
    status: Literal["running"] = "running"


class HealthReply(WireModel):
    """Reply of ``GET /health``: 200 when healthy, otherwise 503 with the reason."""

    model_config = example(status="healthy", model_loaded=True, timestamp=1698345600.123)

    status: Literal["healthy", "unhealthy"]
    model_loaded: bool
    timestamp: float
    reason: Annotated[Text | None, Field(exclude_if=is_none)] = None
    """What is wrong and what to do about it; absent when healthy."""
    checks: Annotated[dict[str, str], Field(exclude_if=lambda checks: not checks)] = {}  # noqa: RUF012 (copied)
    """Each part that was looked at, and ``ok`` or what is wrong with it; absent when nothing was."""
    warning: Annotated[Text | None, Field(exclude_if=is_none)] = None
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

    model_config = example(
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
    warning: Annotated[Text | None, Field(exclude_if=is_none)] = None
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

    model_config = example(
        object="list",
        data=[{"id": "cabin-en", "object": "model", "created": 1698345600, "owned_by": "rtap"}],
    )

    object: Literal["list"] = "list"
    data: tuple[ModelCard, ...]


class ModelRequest(WireModel):
    """Body of ``PUT /model``."""

    model_config = example(model_name="cabin-en")

    model_name: Annotated[str, Field(min_length=1, max_length=255)]
    """One of ``GET /v1/models``."""


class IntentRequest(WireModel):
    """Body of ``POST /intent``."""

    model_config = example(
        text="Open the rear left window to 30%.", language="en", execute=True, utterance_id="f3a9-1"
    )

    text: Annotated[str, Field(min_length=1, max_length=1_000)]
    """What was said or typed. Commands have 200 characters at most; what is longer has no intent."""
    language: Annotated[str | None, Field(max_length=64)] = None
    """Code or English name; null is that of ``stt.language``, or English."""
    execute: bool = False
    """Whether the car is to do it."""
    utterance_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """Of your choice: what is sent again with the same one is not done again."""
    conversation: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """With ``execute``: that of the streams which gave this name, or ``microphone``: that of the service's
    own. The text is its next turn, so that it may answer a question, or continue what was said. Null: it is
    for itself."""


class IntentReply(Understood):
    """Reply of ``POST /intent``."""

    model_config = example(
        **Understood.EXAMPLE,
        question=None,
        action=ActionFields.EXAMPLE,
        answer=AnswerFields.EXAMPLE,
    )

    question: Kind | None = None
    """In a conversation: why the speaker is asked before anything is done, as in the event ``intent``."""

    action: ActionFields | None = None
    """What came of it; null where it was not to be carried out, or is no command."""
    answer: AnswerFields | None = None
    """What to say to whoever said it; null where answers are switched off."""


class SignalReading(WireModel):
    """A signal of the car and what it shows."""

    path: str
    """As COVESA VSS names it."""
    value: str | int | float | bool | None
    """Null: the car has no value for it."""
    unit: str | None
    """As COVESA VSS names it; null where there is none."""


class VehicleReply(WireModel):
    """Reply of ``GET /vehicle``."""

    model_config = example(
        adapter="simulated",
        signals=[
            {
                "path": "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature",
                "value": 21.0,
                "unit": "celsius",
            }
        ],
    )

    adapter: str
    """The way to the car, of ``vehicle.adapter``: ``simulated`` is a car in memory."""
    signals: tuple[SignalReading, ...]
    """Those that commands use and the car has."""


class Example(WireModel):
    """A sentence for a command or question."""

    intent: str
    text: Text


class Examples(WireModel):
    """Reply of ``GET /intents``."""

    model_config = example(
        language="en",
        examples=[{"intent": "SetTemperature", "text": "set the temperature to 21 degrees"}],
    )

    language: str
    """Code of that of the sentences."""
    examples: tuple[Example, ...]
    """One for each intent; those that belong together follow each other."""


class Listening(WireModel):
    """Reply of ``GET /listening`` and ``PUT /listening``."""

    model_config = example(available=True, enabled=True, wake_words=["Hey Mycroft"])

    available: bool
    """Whether the service has a microphone of its own."""
    enabled: bool
    """Whether it listens to it."""
    wake_words: tuple[str, ...] = ()
    """What to say before a command, each as people write it; empty: nothing."""


class ListeningRequest(WireModel):
    """Body of ``PUT /listening``."""

    model_config = example(enabled=False)

    enabled: bool


class AnswerStopped(WireModel):
    """Reply of ``POST /answers/stop``."""

    model_config = example(stopped=True)

    stopped: bool
    """Whether an answer was being spoken, or waited for that."""


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
    words: Annotated[tuple[WordReply, ...] | None, Field(exclude_if=is_none)] = None
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


class TranscriptionReply(TranscriptionFigures):
    """Reply of ``POST /transcribe`` and ``POST /transcribe/base64``."""

    model_config = example(
        text="Hello world, this is a test.",
        language="en",
        duration=5.2,
        inference_time=2.1,
        total_time=2.3,
        timestamp=1698345600.456,
        request_id="5f0c9a1e",
        **TranscriptionFigures.EXAMPLE,
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
    timestamp: float
    request_id: Annotated[str | None, Field(exclude_if=is_none)] = None
    """As in ``X-Request-ID`` and in the log."""
    segments: Annotated[tuple[SegmentReply, ...] | None, Field(exclude_if=is_none)] = None
    """Present when asked for."""
    warnings: Annotated[tuple[str, ...], Field(exclude_if=is_empty)] = ()
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
            timestamp=time.time(),
            request_id=request_id,
            segments=segments if words else None,
            warnings=warnings,
            **transcription.figures,
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

    model_config = example(
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

    model_config = example(
        error={
            "code": "audio_too_long",
            "message": "the audio is 700 s long: send at most 600 s at a time",
            "type": "invalid_request_error",
            "param": None,
            "request_id": "5f0c9a1e",
        }
    )

    error: ErrorDetail
