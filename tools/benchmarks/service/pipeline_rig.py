"""The microphone's pipeline in this process, in lockstep with its source, under a stopwatch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.ring_buffer import AudioRingBuffer
from rtap.bus import EventBus
from rtap.config import AudioConfig, Config, WakeWordConfig
from rtap.errors import PipelineError
from rtap.events import AudioChunk, ErrorOccurred, Event, SpeechStopped, Transcript
from rtap.pipeline.microphone import AudioPipeline
from rtap.pipeline.session import Equipment, SpeechSession, VoiceActivity
from rtap.stages.denoise import Denoiser
from rtap.stages.language import Annotator
from rtap.stages.stt import SpeechToText
from rtap.telemetry import Telemetry
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.transcribe import TranscribeOptions
from tools.benchmarks.figures import Interval, time_outside
from tools.benchmarks.service.speech import Phrase, phrases

if TYPE_CHECKING:
    from rtap.stages.stt_jobs import Engine
    from rtap.whisper.transcribe import Steps

_WARM_UP: Final = 3
"""Utterances whose times are not counted."""
_FRAME: Final = SAMPLE_RATE // 50
_PATIENCE_SECONDS: Final = 60.0
_MOST_SILENCE: Final = 100
"""Frames after a command in which its end must be seen."""


class ScriptedVad:
    """Hears speech when it is told so."""

    def __init__(self) -> None:
        self.is_speech = False

    def speech_probability(self, chunk: Samples) -> float:
        """1 or 0, whatever the chunk holds."""
        del chunk
        return float(self.is_speech)


class ScriptedEngine:
    """Understands the same in everything, at once."""

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        """One segment of five words."""
        del options
        seconds = samples.size / SAMPLE_RATE
        text = "turn the heating on please"
        segment = Segment(0.0, seconds, text, tuple(range(7)), "en", -0.1, 1.0, 0.0, 0.0)
        # Not certain, so that the language is looked at as it is for a model of many languages.
        return Transcription(text, "en", 0.9, seconds, 0.0, (segment,))

    def steps(self, blocks: Iterable[Samples], options: TranscribeOptions) -> Steps:
        """There are no files here."""
        raise NotImplementedError


class ModelTimes:
    """When models were at work, since it was last cleared."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []

    def add(self, begin: float) -> None:
        """From ``begin`` until now; for any thread."""
        self.intervals.append((begin, time.perf_counter()))


class _TimedVad:
    def __init__(self, vad: VoiceActivity, times: ModelTimes) -> None:
        self._vad = vad
        self._times = times

    def speech_probability(self, chunk: Samples) -> float:
        begin = time.perf_counter()
        try:
            return self._vad.speech_probability(chunk)
        finally:
            self._times.add(begin)


class _TimedEngine:
    def __init__(self, engine: Engine, times: ModelTimes) -> None:
        self._engine = engine
        self._times = times

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        begin = time.perf_counter()
        try:
            return self._engine.transcribe(samples, options)
        finally:
            self._times.add(begin)

    def steps(self, blocks: Iterable[Samples], options: TranscribeOptions) -> Steps:
        return self._engine.steps(blocks, options)


class _ObservedPipeline(AudioPipeline):
    """Says when it has done all that there is to be done with a frame."""

    on_processed: Callable[[float], None]
    """Gets the time when it began."""

    def process(self, chunk: AudioChunk) -> None:
        begin = time.perf_counter()
        super().process(chunk)
        self.on_processed(begin)


class Rig:
    """A pipeline in lockstep with its source: a frame comes when the one before was worked on.

    Args:
        load: makes the engine.
    """

    def __init__(self, vad: VoiceActivity, load: Callable[[], Engine]) -> None:
        self.per_utterance: list[float] = []
        """Seconds, of those that were counted."""
        self.per_frame: list[float] = []
        self._vad = vad
        self._times = ModelTimes()
        self._vad_times = ModelTimes()
        self._bus = EventBus()
        self._subscription = self._bus.subscribe(self._on_event)
        self._telemetry = Telemetry()
        config = Config(audio=AudioConfig(source="mock"), wakeword=WakeWordConfig(enabled=False))
        self._config = config
        self._annotator = Annotator(config.language, config.stt.languages)
        self._annotator.load()
        self._stt = SpeechToText(lambda: _TimedEngine(load(), self._times))
        self._failure: str | None = None
        # Of the frame that is under way.
        self._handed_at = 0.0
        self._processed = threading.Event()
        # Of the utterance that is under way.
        self._needed_at: float | None = None
        self._published_at = 0.0
        self._transcribed = threading.Event()

    def run(self, utterances: int) -> None:
        """Measure so many utterances, after some that warm up.

        Raises:
            PipelineError: one was not transcribed.
        """
        pipeline = self._pipeline(Speaker(self, _WARM_UP + utterances))
        pipeline.on_processed = self._on_processed
        self._stt.start()
        self._stt.probe().result(_PATIENCE_SECONDS)
        try:
            pipeline.run()
        finally:
            self._stt.stop(_PATIENCE_SECONDS)
            self._subscription.close()
        if self._failure is not None:
            raise PipelineError(f"the pipeline failed ({self._failure}): run the tests")

    def say(self, phrase: Phrase) -> Iterator[AudioChunk]:
        """A command and the silence that ends it, in lockstep."""
        self._begin_utterance()
        self._script(is_speech=True)
        for frame in _frames(phrase):
            yield from self._hand_over(frame)
        self._script(is_speech=False)
        silence = np.zeros(_FRAME, np.float32)
        for _ in range(_MOST_SILENCE):
            if self._needed_at is not None or self.has_failed:
                break
            yield from self._hand_over(silence)
        if self._needed_at is None or not self._transcribed.wait(_PATIENCE_SECONDS):
            if not self.has_failed:
                self._failure = "an utterance was not transcribed"
            return
        models = self._times.intervals + self._vad_times.intervals
        self.per_utterance.append(time_outside(self._needed_at, self._published_at, models))
        self._times.intervals.clear()
        self._vad_times.intervals.clear()

    @property
    def has_failed(self) -> bool:
        """Whether it makes no sense to go on."""
        return self._failure is not None

    def forget(self) -> None:
        """Count from now on."""
        self.per_utterance.clear()
        self.per_frame.clear()

    def _begin_utterance(self) -> None:
        self._needed_at = None
        self._transcribed.clear()

    def _script(self, *, is_speech: bool) -> None:
        if isinstance(self._vad, ScriptedVad):
            self._vad.is_speech = is_speech

    def _hand_over(self, frame: Samples) -> Iterator[AudioChunk]:
        self._processed.clear()
        captured_at = time.time()
        self._handed_at = time.perf_counter()
        yield AudioChunk(frame, captured_at)
        if not self._processed.wait(_PATIENCE_SECONDS):
            self._failure = "a frame was lost"

    def _on_processed(self, begin: float) -> None:
        end = time.perf_counter()
        self.per_frame.append(time_outside(begin, end, self._vad_times.intervals[-2:]))
        self._processed.set()

    def _publish(self, event: Event) -> None:
        """As :class:`rtap.app.RTAPApplication` does."""
        if isinstance(event, SpeechStopped):
            self._needed_at = self._handed_at
        elif isinstance(event, ErrorOccurred):
            self._failure = f"{event.stage}: {event.message}"
            self._transcribed.set()
        elif isinstance(event, Transcript):
            self._telemetry.utterance(
                event.source,
                duration=event.duration,
                inference_time=event.inference_time,
                latency=event.latency,
            )
            self._telemetry.latency("stt", event.latency)
        self._bus.publish(event)

    def _on_event(self) -> None:
        if any(isinstance(event, Transcript) for event in self._subscription.take()):
            self._published_at = time.perf_counter()
            self._transcribed.set()

    def _pipeline(self, source: Speaker) -> _ObservedPipeline:
        config = self._config
        preprocess = config.preprocess
        return _ObservedPipeline(
            config,
            make_source=lambda: source,
            denoiser=Denoiser(preprocess.noise_suppression, preprocess.auto_gain_dbfs),
            wake_word=None,
            make_session=self._session,
            ring_buffer=AudioRingBuffer(config.audio.ring_buffer_size_ms, config.audio.frame_ms),
            publish=self._publish,
            telemetry=self._telemetry,
        )

    def _session(self, session_id: str, publish: Callable[[Event], None]) -> SpeechSession:
        equipment = Equipment(
            vad=_TimedVad(self._vad, self._vad_times),
            cleaner=Denoiser(0, 0),
            vad_config=self._config.vad,
            recognizer=self._stt,
            annotate=self._annotator.annotate,
            partial_interval=self._config.stt.partial_interval_ms / 1000,
            speculation=self._config.stt.decode_at_pause,
        )
        return SpeechSession(session_id, "microphone", equipment, TranscribeOptions(), publish)


class Speaker:
    """The source of a rig: says commands in turn."""

    def __init__(self, rig: Rig, utterances: int) -> None:
        self._rig = rig
        self._utterances = utterances
        self._closed = False

    def chunks(self) -> Iterator[AudioChunk]:
        """Frames of 20 ms."""
        spoken = phrases()
        for index in range(self._utterances):
            if index == _WARM_UP:
                self._rig.forget()
            if self._closed or self._rig.has_failed:
                return
            yield from self._rig.say(spoken[index % len(spoken)])

    def close(self) -> None:
        """Say no more."""
        self._closed = True


def _frames(phrase: Phrase) -> list[Samples]:
    """Up to the end of speech."""
    samples = phrase.samples[: phrase.end_of_speech - phrase.end_of_speech % _FRAME]
    return list(samples.reshape(-1, _FRAME))
