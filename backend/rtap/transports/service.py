"""What the transports need of the running service, and nothing more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rtap.whisper.model_store import BUNDLED_MODEL, BUNDLED_WARNING

if TYPE_CHECKING:
    from rtap.assistant.assistant import Assistant, Wish
    from rtap.audio.format import Samples
    from rtap.bus import EventBus
    from rtap.config import Config
    from rtap.events import Event, Transcript, Utterance
    from rtap.pipeline.session import SpeechSession
    from rtap.stages.stt import Source
    from rtap.telemetry import Telemetry
    from rtap.whisper.model_store import StoredModel
    from rtap.whisper.result import Segment, Transcription
    from rtap.whisper.transcribe import TranscribeOptions


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that is loaded."""

    name: str
    path: str
    precision: str
    parameters: int
    languages: tuple[str, ...]
    num_threads: int
    onnx_runtime_version: str

    @property
    def warning(self) -> str:
        """What a user of this model should know; empty where there is nothing."""
        return BUNDLED_WARNING if self.name == BUNDLED_MODEL else ""


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is."""

    healthy: bool
    model_loaded: bool
    reason: str = ""
    """What is wrong and what to do about it; empty when healthy."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """Each part that was looked at, and ``ok`` or what is wrong with it."""
    warning: str = ""
    """What works and may still disappoint; empty where nothing does."""


class Recognition(Protocol):
    """What the transports may ask of :class:`rtap.stages.stt.SpeechToText`; for any thread."""

    ready: threading.Event
    """Set while a model is loaded and has proved that it works."""
    failure: str | None
    """Why there will be no transcripts until the service is restarted; None when there is hope."""

    @property
    def expected_wait(self) -> float:
        """Seconds that a whole utterance would wait for the model if it came now."""

    def transcribe(
        self, utterance: Utterance, source: Source, options: TranscribeOptions
    ) -> Future[Transcript]:
        """Queue a whole utterance that no session has heard."""

    def transcribe_file(
        self,
        blocks: Iterable[Samples],
        options: TranscribeOptions,
        cancelled: threading.Event,
        on_segment: Callable[[Segment], None] = lambda _: None,
    ) -> Future[Transcription]:
        """Queue a file; see :meth:`rtap.stages.stt.SpeechToText.transcribe_file`.

        Raises:
            QueueFullError: as many files as may be are unfinished; it says when to come back.
        """


class Service(Protocol):
    """Implemented by :class:`rtap.app.RTAPApplication`."""

    config: Config
    bus: EventBus
    telemetry: Telemetry
    assistant: Assistant

    @property
    def stt(self) -> Recognition:
        """The speech recognition."""

    def new_session(
        self,
        session_id: str,
        options: TranscribeOptions,
        publish: Callable[[Event], None],
        *,
        partials: bool = True,
        intents: Wish = "none",
        conversation: str | None = None,
        speak: bool = False,
    ) -> SpeechSession:
        """A session for one client's stream.

        Args:
            publish: gets its events. Transcripts, intents and actions go to the bus too.
            partials: whether the client wants partial results, which cost inferences.
            intents: what the client wants of the commands in it.
            conversation: sessions of the same one answer each other's questions; None: one of its own.
            speak: whether the loudspeaker is to speak its answers too.
        """

    def publish(self, event: Event) -> None:
        """Count an event and put it on the bus: for what a client said outside of a session."""

    def options(self, language: str | None = None, task: str = "transcribe") -> TranscribeOptions:
        """Options for one request; what it leaves open comes from the configuration.

        Raises:
            ConfigurationError: the model does not know the language or the task.
        """

    def health(self) -> Health:
        """Whether transcripts are to be had; proves it with a real inference when none succeeded lately."""

    def model(self) -> ModelFacts | None:
        """None until a model is loaded."""

    def models(self) -> list[StoredModel]:
        """All that can be loaded."""

    def use_model(self, name: str) -> None:
        """Load another model; returns at once. The old one stays where the new one cannot be loaded.

        Raises:
            ModelError: there is none of this name, or it is damaged.
        """

    def listening(self) -> bool | None:
        """Whether the microphone is heard; None where there is none."""

    def set_listening(self, *, enabled: bool) -> None:
        """Open or close the microphone; nothing where there is none."""

    def cancel_listening(self) -> None:
        """Wait for the wake word again; what was said to its end is still carried out."""

    def stop_answer(self) -> bool:
        """End the answer that is being spoken, and forget those that wait; whether there was one."""
