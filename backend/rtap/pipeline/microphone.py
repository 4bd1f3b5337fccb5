"""The order in which a chunk from the microphone goes through the stages, and the states on the way.

IDLE, until the wake word is heard (or somebody speaks, where none is configured); LISTENING, until an
utterance ends; PROCESSING, until it is text; EMIT, while it is published; IDLE again.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rtap import logs
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.level import meter
from rtap.errors import ConfigurationError, RTAPException
from rtap.events import (
    AudioChunk,
    ErrorOccurred,
    Event,
    LevelMeasured,
    ListeningChanged,
    SpeechStarted,
    SpeechStopped,
    State,
    StateChanged,
    Transcript,
    WakeWordDetected,
)
from rtap.pipeline.capture_thread import CaptureThread
from rtap.pipeline.level_meter import LevelMeter

if TYPE_CHECKING:
    from rtap.audio.ring_buffer import AudioRingBuffer
    from rtap.config import Config
    from rtap.pipeline.session import SpeechSession
    from rtap.stages.capture import AudioSource
    from rtap.stages.denoise import Denoiser
    from rtap.stages.wakeword import WakeWord
    from rtap.telemetry import Telemetry

_log = logs.get("pipeline")

RETRY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before the microphone is opened again; the last one is repeated."""

DEAF_SECONDS: Final = 1.0
"""A microphone from which nothing comes for so long is as good as none."""

_LAST_WORDS_SECONDS: Final = 3.0
"""How long the end waits for what was being said."""

_ALLOWED: Final = {
    State.IDLE: {State.LISTENING, State.PROCESSING},
    State.LISTENING: {State.PROCESSING, State.IDLE},
    State.PROCESSING: {State.EMIT, State.IDLE},
    State.EMIT: {State.IDLE, State.LISTENING},
    State.ERROR: {State.IDLE},
    State.SHUTDOWN: set(),
}


class SessionFactory(Protocol):
    """Makes the session that hears what is said after the wake word."""

    def __call__(self, session_id: str, publish: Callable[[Event], None]) -> SpeechSession:
        """A session whose audio is clean already."""


class AudioPipeline:
    """Listens to one source of audio.

    Args:
        make_source: opens the microphone; called again after it was lost.
        publish: hands events to the outside.
    """

    def __init__(
        self,
        config: Config,
        *,
        make_source: Callable[[], AudioSource],
        denoiser: Denoiser,
        wake_word: WakeWord | None,
        make_session: SessionFactory,
        ring_buffer: AudioRingBuffer,
        publish: Callable[[Event], None],
        telemetry: Telemetry,
    ) -> None:
        self._config = config
        self._make_source = make_source
        self._denoiser = denoiser
        self._wake_word = wake_word
        self._make_session = make_session
        self._buffer = ring_buffer
        self._publish = publish
        self._telemetry = telemetry
        self.wants_levels: Callable[[], bool] = lambda: False
        """Whether anybody wants to know how loud it is; to be set before :meth:`run`."""
        self._meter = LevelMeter()
        self._state = State.IDLE
        self._lock = threading.RLock()
        self._session: SpeechSession | None = None
        self._deadline: float | None = None
        """When listening ends without speech, in seconds of audio."""
        self._is_deaf = False
        """Whether it is the assistant itself that is heard."""
        self._answer_seconds: float | None = None
        """How long to listen for an answer, without a wake word before it; None: no question was put."""
        self._hears_answer = False
        """Whether the session is for an answer; a wake word ends it, and begins another."""
        self._must_stop_listening = threading.Event()
        """Set by other threads; the one that hears takes it back."""
        self._detector_needs_reset = False
        """Whether the detector holds state from earlier audio and must be reset."""
        self._clock = 0.0
        """Seconds of audio since the source was opened."""
        self._last_chunk_at = float("-inf")
        """When the last chunk came, by the monotonic clock."""
        self._source: CaptureThread | None = None
        self._stopping = threading.Event()
        self._enabled = threading.Event()
        self._enabled.set()
        self._interrupted = threading.Event()
        """Set when the source that is open now is not to be heard to its end."""

    @property
    def state(self) -> State:
        """What the pipeline is doing."""
        return self._state

    def run(self) -> None:
        """Process audio until the source ends or :meth:`stop`; a lost microphone is opened again.

        What is being said at the end becomes an utterance, and is waited for.
        """
        attempt = 0
        while self._is_wanted():
            try:
                self._source = self._capture_from(self._make_source())
                self._denoiser.reset()
                for chunk in self._source.chunks():
                    if self._interrupted.is_set():
                        break
                    attempt = 0
                    self.process(chunk)
                if not self._interrupted.is_set():
                    break
                self._forget_speech("listening was switched off")
            except ConfigurationError as error:
                self._report("capture", error)  # waiting does not mend it
                break
            except RTAPException as error:
                self._report("capture", error)
                self._stopping.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
            finally:
                if self._source is not None:
                    self._source.close()
        self._finish_speech()
        self._change(State.SHUTDOWN, "no more audio")

    @property
    def is_receiving_audio(self) -> bool:
        """Whether sound comes in, or does not because somebody has switched it off."""
        is_recent = time.monotonic() - self._last_chunk_at < DEAF_SECONDS
        return is_recent or not self._enabled.is_set()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody has called or is speaking, and no final transcript is still to come."""
        session = self._session
        if session is None:
            return True
        return self._wake_word is None and not (session.is_speaking or session.is_busy)

    def stop(self) -> None:
        """Make :meth:`run` return soon, from any thread."""
        self._stopping.set()
        self._enabled.set()
        source = self._source
        if source is not None:
            source.close()

    @property
    def is_enabled(self) -> bool:
        """Whether listening is switched on, even where the source cannot be opened at the moment."""
        return self._enabled.is_set()

    def set_listening(self, *, enabled: bool) -> None:
        """Open the source, or close it and forget what is being said; from any thread."""
        with self._lock:
            if enabled is self._enabled.is_set() or self._stopping.is_set():
                return
            if enabled:
                self._enabled.set()
            else:
                self._enabled.clear()
                self._interrupted.set()
            source = self._source
        if source is not None and not enabled:
            source.close()
        self._publish(ListeningChanged(enabled, time.time()))

    def listen_for_answer(self, seconds: float) -> None:
        """Hear what is said next without a wake word before it, from any thread.

        Args:
            seconds: how long the speaker may take to begin.
        """
        if self._wake_word is not None and self._enabled.is_set():
            self._answer_seconds = seconds

    def stop_listening(self) -> None:
        """Wait for the wake word again, from any thread. What was said to its end still becomes text."""
        self._answer_seconds = None
        self._must_stop_listening.set()

    def set_deaf(self, *, deaf: bool) -> None:
        """Take for silence what comes, but for the wake word: the assistant itself speaks. For any thread."""
        self._is_deaf = deaf

    def _is_wanted(self) -> bool:
        """Whether to open the source; waits while listening is switched off."""
        while not self._stopping.is_set():
            self._enabled.wait()
            with self._lock:
                if self._enabled.is_set():
                    self._interrupted.clear()
                    break
        return not self._stopping.is_set()

    def _forget_speech(self, reason: str) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._reset(reason)

    def _capture_from(self, source: AudioSource) -> CaptureThread:
        audio = self._config.audio
        in_real_time = audio.source != "file" or audio.real_time
        return CaptureThread(source, self._buffer, self._telemetry, in_real_time=in_real_time)

    def process(self, chunk: AudioChunk) -> None:
        """The way of one chunk; a failing stage costs this chunk, never the loop."""
        self._last_chunk_at = time.monotonic()
        try:
            with self._telemetry.stage("pipeline"):
                self._clock += chunk.samples.size / SAMPLE_RATE
                self._telemetry.frame("capture")
                with self._telemetry.stage("denoise"):
                    samples = self._denoiser.clean(chunk.samples)
                if self._must_stop_listening.is_set():
                    self._must_stop_listening.clear()
                    self._stop_session()
                if self._session is None:
                    self._wait_for_call(samples, chunk.captured_at)
                else:
                    self._feed_session(self._session, samples, chunk.captured_at)
            self._telemetry.latency("pipeline", time.time() - chunk.captured_at)
        except Exception as error:  # noqa: BLE001 (the loop must survive any stage)
            self._report("pipeline", error)
            self._reset("recovered from an error")

    def _wait_for_call(self, samples: Samples, captured_at: float) -> None:
        if self._wake_word is None:
            self._open_session(None, captured_at)
            assert self._session is not None
            self._feed_session(self._session, samples, captured_at)
            return
        name = self._detect(self._wake_word, samples)
        if name is not None:
            self._open_session(name, captured_at)
        elif self._answer_seconds is not None:
            self._open_session(None, captured_at)
            self._begin_listening(self._answer_seconds, "a question was asked")
            self._hears_answer = True

    def _stop_session(self) -> None:
        session = self._session
        if session is not None and (session.is_speaking or not session.is_busy):
            self._forget_speech("nobody is to be heard")

    def _detect(self, wake_word: WakeWord, samples: Samples) -> str | None:
        if self._detector_needs_reset:
            # Here and not where the transcript comes: the detector is not for several threads.
            self._detector_needs_reset = False
            wake_word.reset()
        with self._telemetry.stage("wakeword"):
            return wake_word.detect(samples)

    def _open_session(self, name: str | None, captured_at: float) -> None:
        session_id = uuid.uuid4().hex
        self._session = self._make_session(session_id, self._on_event)
        if name is None:
            return  # listening begins when somebody speaks, or is asked something
        self._publish(WakeWordDetected(name, session_id, captured_at))
        self._begin_listening(self._config.wakeword.timeout_ms / 1000, f"heard {name}")

    def _begin_listening(self, seconds: float, reason: str) -> None:
        self._answer_seconds = None
        self._hears_answer = False
        self._deadline = self._clock + seconds
        self._change(State.LISTENING, reason)

    def _feed_session(self, session: SpeechSession, samples: Samples, captured_at: float) -> None:
        if self._hears_answer and self._wake_word is not None:
            name = self._detect(self._wake_word, samples)
            if name is not None:
                session.close()
                self._open_session(name, captured_at)
                return
        if self._is_deaf:
            samples = np.zeros_like(samples)
        self._measure(session, samples, captured_at)
        with self._telemetry.stage("listen"):
            session.push(samples, captured_at)
        if session.is_speaking or session.is_busy:
            self._deadline = None
        elif self._deadline is not None and self._clock > self._deadline:
            self._reset("nobody spoke")

    def _measure(self, session: SpeechSession, samples: Samples, captured_at: float) -> None:
        """Tell how loud it is, while somebody is listened to."""
        if self._state is not State.LISTENING or not self.wants_levels():
            self._meter.reset()
            return
        dbfs = self._meter.push(samples)
        if dbfs is not None:
            level = round(meter(dbfs), 3)
            self._publish(LevelMeasured(session.session_id, round(dbfs, 1), level, captured_at))

    def _on_event(self, event: Event) -> None:
        """What the session says, in this thread or the worker's."""
        if isinstance(event, SpeechStarted):
            if self._state is not State.LISTENING:
                self._change(State.LISTENING, "speech")
        elif isinstance(event, SpeechStopped):
            self._change(State.PROCESSING, "end of speech")
        elif isinstance(event, Transcript):
            self._emit(event)
            return
        elif isinstance(event, ErrorOccurred):
            self._telemetry.error(event.stage, event.error_type)
            self._publish(event)
            self._reset(event.message)
            return
        self._publish(event)

    def _emit(self, transcript: Transcript) -> None:
        self._change(State.EMIT, "transcribed")
        self._publish(transcript)
        self._reset("published")

    def _finish_speech(self) -> None:
        session = self._session
        if session is None:
            return
        try:
            session.finish()
        except Exception as error:  # noqa: BLE001 (the end must come, whatever a stage does)
            self._report("pipeline", error)
        session.wait_until_idle(_LAST_WORDS_SECONDS)

    def _reset(self, reason: str) -> None:
        """Back to IDLE, whatever the state was."""
        with self._lock:
            self._deadline = None
            if self._wake_word is not None:
                self._session = None
                self._detector_needs_reset = True
            self._change(State.IDLE, reason)

    def _change(self, state: State, reason: str) -> None:
        with self._lock:
            previous = self._state
            if previous in (state, State.SHUTDOWN):
                return
            if state not in _ALLOWED[previous] | {State.ERROR, State.SHUTDOWN, State.IDLE}:
                _log.warning("unexpected transition", previous=previous, state=state, reason=reason)
                state = State.IDLE  # a corrupted state is left for the one that is always right
            self._state = state
        self._telemetry.transition(previous, state)
        self._publish(StateChanged(previous, state, reason, time.time()))

    def _report(self, stage: str, error: Exception) -> None:
        self._telemetry.error(stage, type(error).__name__)
        _log.error("failed", stage=stage, error_type=type(error).__name__, error=str(error))
        self._publish(ErrorOccurred(stage, type(error).__name__, str(error), time.time()))
