"""Speech of one stream becomes transcripts: from chunks of audio to partial and final results.

The microphone's pipeline and every client of ``/stream`` have a session of their own, and share the one
inference worker behind :class:`rtap.stages.stt.SpeechToText`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK, Samples
from rtap.events import (
    ErrorOccurred,
    Event,
    PartialTranscript,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Utterance,
)
from rtap.stages.partials import LocalAgreement
from rtap.stages.segment import (
    Segmenter,
    SegmentEvent,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
)
from rtap.whisper.windows import CERTAIN

if TYPE_CHECKING:
    from rtap.config import VadConfig
    from rtap.stages.stt_jobs import Speculation
    from rtap.whisper.transcribe import TranscribeOptions

Source = Literal["microphone", "stream"]


class VoiceActivity(Protocol):
    """What is needed of :class:`rtap.stages.vad.Vad`."""

    def speech_probability(self, chunk: Samples) -> float:
        """Of VAD_CHUNK samples."""


class Cleaner(Protocol):
    """What is needed of :class:`rtap.stages.denoise.Denoiser`."""

    def clean(self, samples: Samples) -> Samples:
        """The same audio with less noise, a few milliseconds late."""

    def flush(self) -> Samples:
        """What is left at the end of a stream."""


class Recognizer(Protocol):
    """What is needed of :class:`rtap.stages.stt.SpeechToText`."""

    def transcribe(
        self,
        utterance: Utterance,
        source: Source,
        options: TranscribeOptions,
        speculation: Speculation | None = None,
    ) -> Future[Transcript]:
        """Queue a whole utterance, or take the speculation's result where that is the same."""

    def speculate(
        self, session_id: str, utterance_id: str, samples: Samples, options: TranscribeOptions
    ) -> Speculation | None:
        """Transcribe what may be a whole utterance; None: there is no time for it."""

    def drop_speculation(self, session_id: str, speculation: Speculation) -> bool:
        """It was not the whole; False where it had not begun."""

    def transcribe_partial(
        self, session_id: str, utterance_id: str, samples: Samples, options: TranscribeOptions
    ) -> Future[str]:
        """Queue what was said so far."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a session works with. Detector and cleaner remember their stream and belong to it alone."""

    vad: VoiceActivity
    cleaner: Cleaner
    vad_config: VadConfig
    recognizer: Recognizer
    annotate: Callable[[Transcript], Transcript] = lambda transcript: transcript
    """Adds language and sentiment."""
    partial_interval: float | None = 0.6
    """Seconds of speech between two partial results; None: there are none."""
    speculation: bool = True
    """Whether to transcribe at a pause, before the silence is long enough to be the end."""


class SpeechSession:
    """One stream of audio. :meth:`push` is for one thread; results are published from there or the worker's.

    Args:
        publish: gets events as they come; must not block.
    """

    def __init__(
        self,
        session_id: str,
        source: Source,
        equipment: Equipment,
        options: TranscribeOptions,
        publish: Callable[[Event], None],
    ) -> None:
        self.session_id = session_id
        self._source: Source = source
        self._vad = equipment.vad
        self._cleaner = equipment.cleaner
        self._segmenter = Segmenter(equipment.vad_config)
        self._recognizer = equipment.recognizer
        self._annotate = equipment.annotate
        interval = equipment.partial_interval
        self._interval = None if interval is None else int(interval * SAMPLE_RATE)
        self._speculates = equipment.speculation
        self._options = options
        self._publish = publish
        self._remainder: Samples = np.empty(0, dtype=np.float32)
        self._arrived = 0
        """Samples of the stream so far, those that are still to be judged included."""
        self._received = 0
        """Samples that were judged."""
        self._captured_at = 0.0
        self._utterance_id = ""
        self._agreement = LocalAgreement()
        self._partial_at = 0
        self._open: set[Future[Transcript]] = set()
        self._partial: Future[str] | None = None
        """The last that was asked for; it takes the place of an earlier one that waits."""
        self._speculation: Speculation | None = None
        """Of the utterance that is being said, from its pause on."""
        self._lock = threading.Condition()
        self._closed = False

    @property
    def is_speaking(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return bool(self._utterance_id)

    @property
    def is_busy(self) -> bool:
        """Whether a final transcript is still to come."""
        with self._lock:
            return bool(self._open)

    def push(self, samples: Samples, captured_at: float) -> None:
        """Take the next audio of the stream.

        Args:
            samples: any number, mono, 16 kHz.
            captured_at: when the last of them was captured.
        """
        self._captured_at = captured_at
        self._judge(self._cleaner.clean(samples))

    def finish(self) -> list[Future[Transcript]]:
        """End the stream: what is being said becomes an utterance.

        Returns:
            The finals that are still to come.
        """
        rest = self._cleaner.flush()
        padding = -(self._remainder.size + rest.size) % VAD_CHUNK
        self._judge(np.concatenate([rest, np.zeros(padding, dtype=np.float32)]))
        for event in self._segmenter.flush():
            self._handle(event)
        with self._lock:
            return list(self._open)

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until every final was published; False when that takes longer than ``timeout`` seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._open, timeout)

    def close(self) -> None:
        """Publish nothing more, and take back what still waits for the model."""
        self._closed = True
        with self._lock:
            waiting: list[Future[Any]] = [*self._open]
            if self._partial is not None:
                waiting.append(self._partial)
            # Its callback knows this session: only the garbage collector could take the two.
            self._partial = None
        self._drop_speculation()
        for future in waiting:
            future.cancel()

    def _judge(self, samples: Samples) -> None:
        self._arrived += samples.size
        audio = np.concatenate([self._remainder, samples])
        whole = audio.size - audio.size % VAD_CHUNK
        self._remainder = audio[whole:].copy()
        for begin in range(0, whole, VAD_CHUNK):
            chunk = audio[begin : begin + VAD_CHUNK]
            self._received += VAD_CHUNK
            for event in self._segmenter.push(chunk, self._vad.speech_probability(chunk)):
                self._handle(event)
            self._request_partial()

    def _handle(self, event: SegmentEvent) -> None:
        match event:
            case SpeechBegan():
                self._utterance_id = uuid.uuid4().hex
                self._agreement = LocalAgreement()
                self._partial_at = self._received
                self._send(SpeechStarted(self.session_id, self._time_of(event.start_sample)))
            case SpeechPaused():
                self._start_speculation(event)
            case SpeechResumed():
                # Its text stands for the partial result that was due.
                if self._drop_speculation():
                    self._partial_at = self._received
            case SpeechEnded():
                self._end(event)

    def _end(self, event: SpeechEnded) -> None:
        utterance = Utterance(
            samples=event.samples,
            session_id=self.session_id,
            utterance_id=self._utterance_id or uuid.uuid4().hex,
            ended_at=self._time_of(event.end_sample_of_speech),
            start=event.start_sample / SAMPLE_RATE,
        )
        self._utterance_id = ""
        self._send(SpeechStopped(self.session_id, utterance.utterance_id, utterance.ended_at))
        speculation = self._take_speculation()
        options = self._options_for(event.certainty)
        future = self._recognizer.transcribe(utterance, self._source, options, speculation)
        with self._lock:
            self._open.add(future)
        future.add_done_callback(self._finished)

    def _options_for(self, certainty: float) -> TranscribeOptions:
        if certainty >= CERTAIN:
            return self._options
        return replace(self._options, is_doubtful=True)

    def _start_speculation(self, pause: SpeechPaused) -> None:
        """Have the utterance transcribed as if it were over: at a pause it mostly is."""
        if not self._speculates:
            return
        options = self._options_for(pause.certainty)
        speculation = self._recognizer.speculate(
            self.session_id, self._utterance_id, pause.samples, options
        )
        with self._lock:
            self._speculation = speculation
        if speculation is not None and self._interval is not None:
            speculation.future.add_done_callback(self._partial_result())

    def _take_speculation(self) -> Speculation | None:
        with self._lock:
            speculation, self._speculation = self._speculation, None
        return speculation

    def _drop_speculation(self) -> bool:
        """Returns whether its text comes nevertheless, or has come."""
        speculation = self._take_speculation()
        return speculation is not None and self._recognizer.drop_speculation(
            self.session_id, speculation
        )

    def _request_partial(self) -> None:
        """Ask for a partial result when there is enough new speech."""
        if self._interval is None or not self._utterance_id or self._speculation is not None:
            return
        if self._received - self._partial_at < self._interval:
            return
        samples = self._segmenter.speech_so_far()
        if samples is None:
            return
        self._partial_at = self._received
        options = self._options_for(self._segmenter.certainty)
        future = self._recognizer.transcribe_partial(
            self.session_id, self._utterance_id, samples, options
        )
        with self._lock:
            self._partial = future
        future.add_done_callback(self._partial_result())

    def _partial_result(self) -> Callable[[Future[str]], None]:
        """What is to be done with the text so far of the utterance that is being said."""
        utterance_id, agreement = self._utterance_id, self._agreement

        def understood(future: Future[str]) -> None:
            if future.cancelled() or future.exception() is not None:
                return  # a newer one takes its place, and the final reports what is wrong
            text = agreement.push(future.result())
            # After the end of the utterance a partial result would follow its final.
            if text is not None and utterance_id == self._utterance_id:
                self._send(PartialTranscript(text, self.session_id, utterance_id, time.time()))

        return understood

    def _finished(self, future: Future[Transcript]) -> None:
        try:
            self._send(self._annotate(future.result()))
        except CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 (a worker's thread must not die of a bad utterance)
            self._send(ErrorOccurred("stt", type(error).__name__, str(error), time.time()))
        finally:
            with self._lock:
                self._open.discard(future)
                self._lock.notify_all()

    def _time_of(self, sample: int) -> float:
        """When a sample of the stream was captured."""
        return self._captured_at - (self._arrived - sample) / SAMPLE_RATE

    def _send(self, event: Event) -> None:
        if not self._closed:
            self._publish(event)
