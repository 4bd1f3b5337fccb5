"""What stages and transports hand to one another: frozen values, never shared state.

Times are seconds since the epoch (``time.time``), for clients; durations are seconds. Audio is mono, 16 kHz,
float32 within -1 to 1, shape (samples,).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rtap.answers.answer import Answer
from rtap.audio.format import Samples
from rtap.intents.intent import Understanding
from rtap.intents.question import Kind
from rtap.vehicle.result import ActionResult


class State(StrEnum):
    """What the pipeline is doing."""

    IDLE = "IDLE"
    """Waits for the wake word, or for speech where none is configured."""
    LISTENING = "LISTENING"
    """Somebody is talking, or may begin to."""
    PROCESSING = "PROCESSING"
    """An utterance is being transcribed."""
    EMIT = "EMIT"
    """The transcript is being published."""
    ERROR = "ERROR"
    SHUTDOWN = "SHUTDOWN"


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """The next piece of a stream of audio."""

    samples: Samples
    captured_at: float
    """When its last sample was captured."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak in a stream."""

    session_id: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """An utterance ended and is on its way to the model."""

    session_id: str
    utterance_id: str
    timestamp: float
    """When the last speech was captured, before the silence that ended the utterance."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech between two silences, with a margin around it, at most 30 s."""

    samples: Samples
    session_id: str
    utterance_id: str
    ended_at: float
    """When the last sample of speech was captured, before the silence that ended it."""
    start: float
    """Seconds from the beginning of the stream."""


@dataclass(frozen=True, slots=True)
class Sentiment:
    """VADER's judgement of an English text."""

    label: Literal["positive", "neutral", "negative"]
    score: float
    """Compound score, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one utterance."""

    text: str
    session_id: str
    utterance_id: str
    language: str | None
    """Whisper's code, None when nothing was understood."""
    language_probability: float
    duration: float
    """Length of the utterance's audio."""
    inference_time: float
    latency: float
    """From the end of speech to this transcript, the silence that ended it included."""
    timestamp: float
    confidence: float
    """Mean probability of the tokens, 0 to 1; at most the chance that this command was said, and not another
    one that is nearly as likely."""
    source: Literal["microphone", "stream", "file"]
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """What was understood so far; later ones of the same utterance only ever add to it."""

    text: str
    session_id: str
    utterance_id: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class IntentRecognized:
    """What an utterance means, or that it is no command; follows its transcript."""

    understanding: Understanding
    """Without an intent as long as a question is open."""
    question: Kind | None
    """Why the speaker is asked before anything is done; None: nothing is asked."""
    session_id: str
    utterance_id: str
    source: Literal["microphone", "stream"]
    timestamp: float


@dataclass(frozen=True, slots=True)
class ActionCompleted:
    """What came of an intent; follows it."""

    result: ActionResult
    session_id: str
    utterance_id: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """What the assistant says to the speaker: what came of it, or a question; the last of an utterance."""

    answer: Answer
    session_id: str
    utterance_id: str
    source: Literal["microphone", "stream"]
    timestamp: float


@dataclass(frozen=True, slots=True)
class WakeWordDetected:
    """Somebody called the assistant."""

    name: str
    session_id: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The pipeline went from one state to another."""

    previous: State
    state: State
    reason: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class LevelMeasured:
    """How loud it is while the microphone listens; only for who has subscribed to it, see :mod:`rtap.bus`."""

    session_id: str
    dbfs: float
    """Root mean square of the last tenth of a second, as :func:`rtap.audio.level.dbfs` has it."""
    level: float
    """The same as a meter shows it, 0 to 1; see :func:`rtap.audio.level.meter`."""
    timestamp: float


@dataclass(frozen=True, slots=True)
class ListeningChanged:
    """The microphone was switched on or off."""

    enabled: bool
    timestamp: float


@dataclass(frozen=True, slots=True)
class PublishingChanged:
    """This instance took over the publishing of what the microphone hears, or handed it over."""

    publishing: bool
    reason: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class ErrorOccurred:
    """Something failed; the service goes on."""

    stage: str
    error_type: str
    message: str
    timestamp: float


Event = (
    SpeechStarted
    | SpeechStopped
    | WakeWordDetected
    | LevelMeasured
    | StateChanged
    | ListeningChanged
    | PublishingChanged
    | PartialTranscript
    | Transcript
    | IntentRecognized
    | ActionCompleted
    | AnswerGiven
    | ErrorOccurred
)
"""All that is published on the bus."""
