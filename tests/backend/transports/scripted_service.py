"""A service without a model: real sessions and a real queue, with an engine that tells what it heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from rtap.assistant.assistant import Assistant, Wish
from rtap.assistant.parts import load_parts
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.bus import EventBus
from rtap.config import Config
from rtap.errors import ConfigurationError, ModelError, RTAPException
from rtap.events import Event, Transcript
from rtap.pipeline.session import Equipment, SpeechSession
from rtap.stages.stt import SpeechToText
from rtap.telemetry import Telemetry
from rtap.transports.service import Health, ModelFacts
from rtap.whisper.model_store import StoredModel
from rtap.whisper.result import Segment, Transcription, Word
from rtap.whisper.transcribe import Steps, TranscribeOptions
from tests.deadlines import SOON

FACTS = ModelFacts("cabin-en", "/models/cabin-en", "int8", 1_000_000, ("en", "de"), 2, "1.27.0")
WORD = Word(" hello", 0.1, 0.4, 0.9)


def heard(text: str, duration: float, language: str | None) -> Transcription:
    segment = Segment(0.0, duration, f" {text}", (1, 2), "en", -0.1, 1.0, 0.0, 0.0, (WORD,))
    return Transcription(text, language or "en", 0.9, duration, 0.01, (segment,))


@dataclass
class ScriptedEngine:
    """Says how long the audio was; waits at ``gate`` before it does."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when work begins."""
    dropped: threading.Event = field(default_factory=threading.Event)
    """Set when a file is given up half-way."""
    pace: float = 0.0
    """Seconds that it takes at least."""
    files: list[Samples] = field(default_factory=list)
    utterances: int = 0
    options: TranscribeOptions | None = None
    says: str = ""
    """Instead of how long the audio was."""
    error: Exception | None = None

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        seconds = samples.size / SAMPLE_RATE
        if np.any(samples):  # silence is the queue's own test
            self._begin(options)
            self.utterances += 1
        text = self.says or f"somebody spoke for {seconds:.1f} seconds"
        return heard(text, seconds, options.language)

    def steps(self, blocks: Iterable[Samples], options: TranscribeOptions) -> Steps:
        taken: list[Samples] = []
        done = False
        try:
            for block in blocks:
                taken.append(block)
                self._begin(options)
                yield ()
            done = True
        finally:
            if not done:
                self.dropped.set()
        audio = np.concatenate(taken)
        self.files.append(audio)
        return heard("hello", audio.size / SAMPLE_RATE, options.language)

    def _begin(self, options: TranscribeOptions) -> None:
        self.options = options
        self.asked.set()
        if self.error is not None:
            raise self.error
        assert self.gate.wait(SOON)
        time.sleep(self.pace)


class Loudness:
    """Whatever is loud is speech."""

    def speech_probability(self, chunk: Samples) -> float:
        return float(np.abs(chunk).max() > 0.01)


class Untouched:
    """Cleans nothing."""

    def clean(self, samples: Samples) -> Samples:
        return samples

    def flush(self) -> Samples:
        return np.empty(0, np.float32)


class ScriptedService:
    """Implements rtap.transports.service.Service."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.bus = EventBus()
        self.telemetry = Telemetry()
        self.engine = ScriptedEngine()
        self.engine.gate.set()
        self.assistant = Assistant(lambda: load_parts(config, self.publish), self.telemetry)
        """Loads its sentences when it is first asked."""
        self.stt = SpeechToText(lambda: self.engine, max_files=config.limits.max_queue)
        self.facts: ModelFacts | None = FACTS
        self.languages = FACTS.languages
        self.state = Health(healthy=True, model_loaded=True)
        self.failure: Exception | None = None
        """Raised wherever the service is asked for something."""
        self.stored: list[StoredModel] = []
        self.used = ""
        self.hears: bool | None = None
        """None: there is no microphone."""
        self.cancelled = 0
        """How often listening was cancelled."""
        self.speaks = False
        """Whether an answer is being spoken."""
        self.sessions: list[SpeechSession] = []
        self.spoken_sessions: list[bool] = []
        """Of each session, whether its answers are to be spoken."""
        self.slow_down: Callable[[], None] = lambda: None
        """Called with every chunk that a session listens to."""

    def publish(self, event: Event) -> None:
        self.bus.publish(event)

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
        if self.failure is not None:
            raise self.failure
        self.spoken_sessions.append(speak)
        if intents != "none":
            self.assistant.start()

        def deliver(event: Event) -> None:
            publish(event)
            if isinstance(event, Transcript):
                self.bus.publish(event)
                self.assistant.hear(event, publish, intents, conversation)

        service = self

        class Vad(Loudness):
            def speech_probability(self, chunk: Samples) -> float:
                service.slow_down()
                return super().speech_probability(chunk)

        session = SpeechSession(
            session_id,
            "stream",
            Equipment(
                Vad(),
                Untouched(),
                self.config.vad,
                self.stt,
                partial_interval=0.6 if partials else None,
            ),
            options,
            deliver,
        )
        self.sessions.append(session)
        return session

    def options(self, language: str | None = None, task: str = "transcribe") -> TranscribeOptions:
        if self.failure is not None:
            raise self.failure
        if language not in {None, "auto", *self.languages}:
            raise ConfigurationError(f"unknown language {language!r}: use en or de")
        known = None if language == "auto" else language
        return TranscribeOptions(
            language=known, task="translate" if task == "translate" else "transcribe"
        )

    def health(self) -> Health:
        if self.failure is not None:
            raise self.failure
        return self.state

    def model(self) -> ModelFacts | None:
        return self.facts

    def models(self) -> list[StoredModel]:
        return self.stored

    def use_model(self, name: str) -> None:
        if name not in {model.name for model in self.stored}:
            raise ModelError(f"no model {name}: there are cabin-en")
        self.used = name

    def listening(self) -> bool | None:
        return self.hears

    def set_listening(self, *, enabled: bool) -> None:
        self.hears = enabled

    def cancel_listening(self) -> None:
        self.cancelled += 1

    def stop_answer(self) -> bool:
        spoke, self.speaks = self.speaks, False
        return spoke


@contextmanager
def scripted_service(config: Config, *, start: bool = True) -> Iterator[ScriptedService]:
    service = ScriptedService(config)
    if start:
        service.stt.start()
        assert service.stt.ready.wait(SOON)
    try:
        yield service
    finally:
        service.engine.gate.set()
        assert service.stt.stop(SOON)
        service.assistant.stop(SOON)


def tone(seconds: float, level: float = 0.3, rate: int = SAMPLE_RATE) -> Samples:
    wave = np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return (level * wave).astype(np.float32)


class Broken(RTAPException):
    """Something that this project foresaw."""
