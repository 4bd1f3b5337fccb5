"""What ZeroMQ and port 5802 tell of the events on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    LevelMeasured,
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
from rtap.intents.question import Kind
from rtap.transports.schemas.common import Text, UtteranceResult, UtteranceText, WireModel, example
from rtap.transports.schemas.intents import ActionFields, AnswerFields, Understood


class WakeWordDetectedMessage(WireModel):
    """Somebody called the assistant."""

    model_config = example(
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


class LevelMeasuredMessage(WireModel):
    """How loud it is, ten times a second while the microphone listens to somebody. On port 5802 only."""

    model_config = example(
        type="level", timestamp=1698345600.5, session_id="f3a9", dbfs=-24.0, level=0.6
    )

    type: Literal["level"] = "level"
    timestamp: float
    session_id: str
    dbfs: float
    """Root mean square of the last tenth of a second, -90 to 0; a full sine is -3."""
    level: float
    """The same as a meter shows it: 0 at -60 dBFS and below, 1 at 0, evenly in decibels."""


class SpeechStartedMessage(WireModel):
    """Somebody began to speak."""

    model_config = example(type="speech_started", timestamp=1698345600.4, session_id="f3a9")

    type: Literal["speech_started"] = "speech_started"
    timestamp: float
    session_id: str


class SpeechStoppedMessage(WireModel):
    """An utterance ended; its transcript follows."""

    model_config = example(
        type="speech_stopped", timestamp=1698345602.0, session_id="f3a9", utterance_id="f3a9-1"
    )

    type: Literal["speech_stopped"] = "speech_stopped"
    timestamp: float
    """When the last speech was captured, before the silence that ended the utterance."""
    session_id: str
    utterance_id: str


class StateMessage(WireModel):
    """The pipeline went from one state to another."""

    type: str
    timestamp: float
    previous: State
    state: State
    reason: Text


class StateChangedMessage(StateMessage):
    """The pipeline went to any state but PROCESSING, for which there is ``processing_started``."""

    model_config = example(
        type="state_changed",
        timestamp=1698345600.2,
        previous="IDLE",
        state="LISTENING",
        reason="heard hey_mycroft",
    )

    type: Literal["state_changed"] = "state_changed"


class ProcessingStartedMessage(StateMessage):
    """The pipeline went to the state PROCESSING. Sent in place of ``state_changed``, with the same fields."""

    model_config = example(
        type="processing_started",
        timestamp=1698345602.3,
        previous="LISTENING",
        state="PROCESSING",
        reason="end of speech",
    )

    type: Literal["processing_started"] = "processing_started"


class ListeningChangedMessage(WireModel):
    """The microphone was switched on or off."""

    model_config = example(type="listening_changed", timestamp=1698345600.0, enabled=False)

    type: Literal["listening_changed"] = "listening_changed"
    timestamp: float
    enabled: bool


class PublishingChangedMessage(WireModel):
    """This one of two instances took over the publishing of what the microphone hears, or handed it over."""

    model_config = example(
        type="publishing_changed",
        timestamp=1698345600.0,
        publishing=True,
        reason="nothing was heard of the primary for 0.5 s",
    )

    type: Literal["publishing_changed"] = "publishing_changed"
    timestamp: float
    publishing: bool
    reason: Text


class PartialMessage(UtteranceText):
    """What was understood so far; later ones of the same utterance only ever add to it."""

    model_config = example(
        type="partial",
        timestamp=1698345601.2,
        session_id="f3a9",
        utterance_id="f3a9-1",
        text="Turn on",
    )

    type: Literal["partial"] = "partial"


class TranscriptMessage(UtteranceResult):
    """What was said in one utterance."""

    model_config = example(
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
    source: Literal["microphone", "stream", "file"]


class _Unfolded(WireModel):
    """The message of an event with a part, whose fields stand in the message itself."""

    PART: ClassVar[str]
    """The event's attribute."""

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, event: object) -> object:
        part = getattr(event, cls.PART, None)
        if part is None:
            return event
        names = cls.model_fields.keys() - {"type"}
        return {name: getattr(part if hasattr(part, name) else event, name) for name in names}


class IntentRecognizedMessage(_Unfolded, Understood):
    """What an utterance means, or that it is no command; follows its transcript."""

    model_config = example(
        type="intent",
        timestamp=1698345602.61,
        session_id="f3a9",
        utterance_id="f3a9-1",
        source="microphone",
        question=None,
        **Understood.EXAMPLE,
    )

    PART: ClassVar[str] = "understanding"

    type: Literal["intent"] = "intent"
    timestamp: float
    session_id: str
    utterance_id: str
    source: Literal["microphone", "stream"]
    question: Kind | None
    """Why the speaker is asked before anything is done: which of the ``alternatives``, whether it is the one
    that was heard badly, or what ``did_you_mean`` says. The answer has ten seconds."""


class ActionCompletedMessage(_Unfolded, ActionFields):
    """What came of an intent; follows it."""

    model_config = example(
        type="action",
        timestamp=1698345602.62,
        session_id="f3a9",
        utterance_id="f3a9-1",
        **ActionFields.EXAMPLE,
    )

    PART: ClassVar[str] = "result"

    type: Literal["action"] = "action"
    timestamp: float
    session_id: str
    utterance_id: str


class AnswerGivenMessage(_Unfolded, AnswerFields):
    """What the assistant says to the speaker: what came of it, or a question; the last of an utterance."""

    model_config = example(
        type="answer",
        timestamp=1698345602.63,
        session_id="f3a9",
        utterance_id="f3a9-1",
        source="microphone",
        **AnswerFields.EXAMPLE,
    )

    PART: ClassVar[str] = "answer"

    type: Literal["answer"] = "answer"
    timestamp: float
    session_id: str
    utterance_id: str
    source: Literal["microphone", "stream"]


class ErrorMessage(WireModel):
    """Something failed; the service goes on."""

    model_config = example(
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
    | LevelMeasuredMessage
    | SpeechStartedMessage
    | SpeechStoppedMessage
    | StateChangedMessage
    | ProcessingStartedMessage
    | ListeningChangedMessage
    | PublishingChangedMessage
    | PartialMessage
    | TranscriptMessage
    | IntentRecognizedMessage
    | ActionCompletedMessage
    | AnswerGivenMessage
    | ErrorMessage
)
"""One event of the bus, told apart by ``type``."""


class Snapshot(WireModel):
    """First message on port 5802: how things stand. Every later event follows."""

    model_config = example(
        type="snapshot",
        timestamp=1698345600.0,
        state="IDLE",
        model="cabin-en",
        version="1.0.0",
        listening=True,
        wake_words=["Hey Mycroft"],
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
    wake_words: tuple[str, ...] = ()
    """What to say to the microphone before a command, each as people write it; empty: nothing."""
    publishing: bool = True
    """Whether what the microphone hears is published here; false on a standby whose primary does it."""
    last_transcript: TranscriptMessage | None = None


class DroppedMessage(WireModel):
    """On port 5802: the client read too slowly, and this many events between here and there are lost."""

    model_config = example(type="dropped", timestamp=1698345600.0, count=12)

    type: Literal["dropped"] = "dropped"
    timestamp: float
    count: Annotated[int, Field(gt=0)]


_MESSAGES: Final[Mapping[type[Event], type[EventMessage]]] = {
    WakeWordDetected: WakeWordDetectedMessage,
    LevelMeasured: LevelMeasuredMessage,
    SpeechStarted: SpeechStartedMessage,
    SpeechStopped: SpeechStoppedMessage,
    StateChanged: StateChangedMessage,
    ListeningChanged: ListeningChangedMessage,
    PublishingChanged: PublishingChangedMessage,
    PartialTranscript: PartialMessage,
    Transcript: TranscriptMessage,
    IntentRecognized: IntentRecognizedMessage,
    ActionCompleted: ActionCompletedMessage,
    AnswerGiven: AnswerGivenMessage,
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
