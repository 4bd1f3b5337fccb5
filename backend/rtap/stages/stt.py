"""Speech to text: one thread owns the model, and everybody else gets futures.

:mod:`rtap.stages.stt_jobs` says in which order jobs run. A whole utterance waits for nothing but the
inference that is running: an utterance, a partial result, or one window of a file. What :meth:`speculate` got
before the end of speech was sure is not transcribed again.

Results are delivered in the worker's thread, or where :meth:`SpeechToText.transcribe` is called, if they are
there already: what is added with ``add_done_callback`` must return soon.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from rtap import logs
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.errors import (
    ModelChangedError,
    OverloadedError,
    PipelineError,
    QueueFullError,
    RTAPException,
)
from rtap.events import Transcript, Utterance
from rtap.stages.stt_jobs import (
    Engine,
    FileJob,
    Job,
    JobQueue,
    Progress,
    Speculation,
    Work,
    fail,
    settle,
)

if TYPE_CHECKING:
    from rtap.whisper.result import Segment, Transcription
    from rtap.whisper.transcribe import TranscribeOptions

Source = Literal["microphone", "stream", "file"]

MAX_FAILURES: Final = 3
"""So many unexpected failures in a row, and the model is loaded anew. One counts where an inference without
options fails as well."""
_SLOWER_THAN_EVER: Final = 10.0
"""An inference that takes so many times as long as the slowest one so far, by length of audio, hangs."""
MAX_WAIT: Final = 3.0
"""Seconds that the utterance of a client's stream may have to wait for the model; beyond it is refused."""
_FIRST_GUESS: Final = 10.0
"""Seconds for a file, as long as none was transcribed."""
_LONGEST_RETRY: Final = 300.0
_STOPPED: Final = "the service is shutting down: send the audio again when it is back"

_log = logs.get("stages.stt")


class SpeechToText:
    """Transcribes what sessions and clients send. All methods are for any thread, and return at once.

    What goes wrong with a job is in its future: an RTAPException, or CancelledError when it was cancelled.

    Args:
        load: makes the engine; called in the worker's thread.
        on_inference: gets the seconds that the model took for an utterance, a partial result or a file.
        max_files: files that may be unfinished at a time.
        max_utterances: whole utterances of one session that may wait.
        fallback: takes the place of ``load`` for good when its engine fails in a way that nobody foresaw: the
            same model without the accelerator.
        on_critical: gets the reason when nothing but a new process can help; called once, in the worker's
            thread.
        on_speculation: gets whether an inference for :meth:`speculate` became a transcript; called for each
            that was begun.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        load: Callable[[], Engine],
        on_inference: Callable[[float], None] = lambda _: None,
        *,
        max_files: int = 16,
        max_utterances: int = 8,
        fallback: Callable[[], Engine] | None = None,
        on_critical: Callable[[str], None] = lambda _: None,
        on_speculation: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._load = load
        self.work: Work | None = None
        """What the worker does at the moment; None while it waits."""
        self._fallback = fallback
        self._on_critical = on_critical
        self._on_inference = on_inference
        self._on_speculation = on_speculation
        self._max_files = max_files
        self._max_utterances = max_utterances
        self._clock = clock
        self.ready = threading.Event()
        """Set while a model is loaded and has proved that it works."""
        self.failure: str | None = None
        """Why there will be no transcripts until the service is restarted; None when there is hope."""
        self.last_success: float | None = None
        """``time.monotonic()`` of the last inference that worked."""
        self._queue = JobQueue()
        self._changed = threading.Condition()
        self._current: Job | FileJob | None = None
        self._stopping = False
        self._wants_reload = False
        self._models = 0
        """How often another model was asked for."""
        self._thread: threading.Thread | None = None
        # From here on for the worker's thread only.
        self._engine: Engine | None = None
        self._failures = 0
        self._reloaded = False
        self._seconds_per_file = _FIRST_GUESS
        self._seconds_per_utterance = 0.0
        """Of late; 0 until one was transcribed."""
        self._slowest = 0.0
        """Seconds that the slowest inference took for a second of audio."""

    # ---- for everybody

    def start(self) -> None:
        """Load the model in the background.

        Jobs may be queued before it is there, and wait for it. So ``probe().result()`` waits until it is
        loaded, and raises what was wrong with it.
        """
        if self._thread is not None:
            raise RuntimeError("the worker was started already")
        self._thread = threading.Thread(target=self._run, name="stt", daemon=True)
        self._thread.start()

    @property
    def thread_id(self) -> int | None:
        """Identifier of the worker's thread; None before :meth:`start`."""
        return None if self._thread is None else self._thread.ident

    @property
    def waiting_utterances(self) -> int:
        """How many whole utterances wait for the model."""
        with self._changed:
            return self._queue.live

    @property
    def expected_wait(self) -> float:
        """Seconds that a whole utterance would wait for the model if it came now."""
        with self._changed:
            return self._expected_wait()

    @property
    def waiting_files(self) -> int:
        """How many files wait, those included that had a turn and are not done."""
        with self._changed:
            return len(self._queue.wanted_files())

    def reload(self) -> None:
        """Load the model anew after the running inference; live jobs wait for it, files that have begun fail.

        Not ready from now on. It helps against a failure too: ``load`` may find another model this time.
        """
        with self._changed:
            self._wants_reload = True
            self._models += 1
            self.failure = None
            self.ready.clear()
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        """Transcribe the whole utterances that wait, refuse all else, and end the worker.

        Args:
            timeout: seconds after which the utterances that are left are refused too. An inference that is
                running then goes on, and its result is lost.

        Returns:
            Whether the worker has ended.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._refuse(live=self._thread is None)
        if self._thread is None:
            return True
        self._thread.join(timeout)
        if not self._thread.is_alive():
            return True
        _log.warning("the running inference does not end within %.1f s", timeout)
        self._refuse(live=True)
        current = self._current
        if current is not None:
            fail(current.future, PipelineError(_STOPPED))
        if isinstance(current, Speculation):
            fail(current.heard, PipelineError(_STOPPED))
        return False

    def transcribe(
        self,
        utterance: Utterance,
        source: Source,
        options: TranscribeOptions,
        speculation: Speculation | None = None,
    ) -> Future[Transcript]:
        """Queue a whole utterance, ahead of all but other utterances.

        A partial result of it that waits is cancelled. When its session has ``max_utterances`` waiting, the
        future fails with QueueFullError; that of a client's stream fails with OverloadedError when it would
        wait for more than MAX_WAIT seconds.

        Args:
            speculation: what :meth:`speculate` gave for this utterance. Its result is taken where it is the
                same that would come now; otherwise it is dropped.
        """
        if speculation is not None and self._is_taken(speculation, utterance, options):
            return self._transcript_of(speculation, utterance, source)
        job = Job(
            functools.partial(self._transcribe, utterance, source, options),
            audio_seconds=utterance.samples.size / SAMPLE_RATE,
        )
        session_id = utterance.session_id
        moot = None
        with self._changed:
            refusal = self._refusal()
            if refusal is None and self._queue.live_of(session_id) >= self._max_utterances:
                refusal = QueueFullError(
                    f"{self._max_utterances} utterances of this stream wait already: pause, or choose a "
                    f"smaller model",
                    retry_after=1.0,
                )
            if refusal is None and source == "stream":
                refusal = self._overload()
            if refusal is None:
                moot = self._queue.drop_partial(session_id, utterance.utterance_id)
                self._queue.add_live(session_id, job)
                self._changed.notify_all()
        return _queued(job.future, refusal, moot)

    def speculate(
        self, session_id: str, utterance_id: str, samples: Samples, options: TranscribeOptions
    ) -> Speculation | None:
        """Transcribe what will be the whole utterance if nobody goes on speaking.

        It comes after whole utterances and probes, and before all partial results; one of this utterance that
        waits is cancelled. Then give it to :meth:`transcribe` or to :meth:`drop_speculation`.

        Args:
            samples: mono, 16 kHz; not to be changed any more.
            options: those of the utterance.

        Returns:
            None where whole utterances wait: it would be in their way.
        """
        with self._changed:
            if self._refusal() is not None or self._queue.live:
                return None
            job = Speculation(
                functools.partial(self._hear_all, samples, options),
                samples=samples,
                options=options,
                model=self._models,
                audio_seconds=samples.size / SAMPLE_RATE,
            )
            moot = [
                self._queue.drop_partial(session_id, utterance_id),
                self._queue.set_speculation(session_id, job),
            ]
            self._changed.notify_all()
        for one in moot:
            if one is not None:
                one.future.cancel()
        return job

    def drop_speculation(self, session_id: str, speculation: Speculation) -> bool:
        """Somebody went on speaking: take back a speculation.

        Returns:
            Whether it had begun; then it goes on, and ``speculation.future`` still gets its text.
        """
        with self._changed:
            waits = self._queue.drop_speculation(session_id, speculation)
        if waits:
            speculation.future.cancel()
        has_begun = not speculation.future.cancelled()
        if has_begun:
            self._count_speculation(used=False)
        return has_begun

    def transcribe_partial(
        self, session_id: str, utterance_id: str, samples: Samples, options: TranscribeOptions
    ) -> Future[str]:
        """Queue what was said so far; cancels the session's last one if it still waits.

        It is decoded greedily and once, and no sentence is preferred, whatever the options say: it is soon
        replaced by a better one.

        Args:
            samples: mono, 16 kHz, from the beginning of the utterance; not to be changed any more.
        """
        quick = replace(
            options,
            beam_size=1,
            temperatures=options.temperatures[:1],
            word_timestamps=False,
            preference=None,
        )
        job = Job(
            functools.partial(self._text, samples, quick), audio_seconds=samples.size / SAMPLE_RATE
        )
        replaced = None
        with self._changed:
            refusal = self._refusal()
            if refusal is None:
                replaced = self._queue.set_partial(session_id, utterance_id, job)
                self._changed.notify_all()
        return _queued(job.future, refusal, replaced)

    def transcribe_file(
        self,
        blocks: Iterable[Samples],
        options: TranscribeOptions,
        cancelled: threading.Event,
        on_segment: Callable[[Segment], None] = lambda _: None,
    ) -> Future[Transcription]:
        """Queue a file; it is transcribed when nobody speaks, in turns with other files.

        Args:
            blocks: mono, 16 kHz, any length each; read in the worker's thread, so it must not wait.
            cancelled: set it, or cancel the future, and the file is dropped at the next window.
            on_segment: gets each segment as soon as it is known, in the worker's thread.

        Raises:
            QueueFullError: ``max_files`` are unfinished; it says after how many seconds to come back.
        """
        job = FileJob(blocks, options, cancelled, on_segment)
        with self._changed:
            refusal = self._refusal()
            if refusal is None:
                self._make_sure_of_room()
                self._queue.add_file(job)
                self._changed.notify_all()
        return _queued(job.future, refusal)

    def probe(self) -> Future[float]:
        """Prove with a real inference that the model works; the result is the seconds that it took.

        It comes after whole utterances and before all else. Those who ask while a probe waits share it.
        """
        asked: Future[float] = Future()
        with self._changed:
            refusal = self._refusal()
            if refusal is None:
                job = self._queue.probe
                if job is None:
                    job = Job(_small_inference)
                    self._queue.set_probe(job)
                    self._changed.notify_all()
                job.future.add_done_callback(functools.partial(_copy, to=asked))
        return _queued(asked, refusal)

    def _is_taken(
        self, speculation: Speculation, utterance: Utterance, options: TranscribeOptions
    ) -> bool:
        """Whether it stands for this utterance from now on; forgotten otherwise."""
        is_same = speculation.is_of(utterance.samples, options)
        with self._changed:
            is_current = self._refusal() is None and speculation.model == self._models
            waits = self._queue.drop_speculation(utterance.session_id, speculation)
        if waits:  # the whole utterance has a better place
            speculation.future.cancel()
        if speculation.future.cancelled():
            return False
        self._count_speculation(used=is_same and is_current)
        return is_same and is_current

    def _transcript_of(
        self, speculation: Speculation, utterance: Utterance, source: Source
    ) -> Future[Transcript]:
        future: Future[Transcript] = Future()
        future.set_running_or_notify_cancel()  # like the inference, which may be done

        def understood(heard: Future[Transcription]) -> None:
            error = heard.exception()
            if error is None:
                settle(future, self._transcript(utterance, source, heard.result()))
            elif isinstance(error, Exception):
                fail(future, error)

        speculation.heard.add_done_callback(understood)
        return future

    # ---- with the lock held

    def _refusal(self) -> PipelineError | None:
        if self._stopping:
            return PipelineError(_STOPPED)
        return None if self.failure is None else PipelineError(self.failure)

    def _expected_wait(self) -> float:
        return self._queue.live * self._seconds_per_utterance

    def _overload(self) -> PipelineError | None:
        wait = self._expected_wait()
        if wait <= MAX_WAIT:
            return None
        return OverloadedError(
            f"{self._queue.live} utterances wait already, and this one would be late by {wait:.0f} s: say it "
            f"again in {math.ceil(wait)} s, or use a smaller model",
            retry_after=wait,
        )

    def _make_sure_of_room(self) -> None:
        files = self._queue.wanted_files()
        if isinstance(self._current, FileJob) and not self._current.is_unwanted:
            files.append(self._current)
        if len(files) < self._max_files:
            return
        # They share the model, and the one that had most of it is likely the first to end.
        left = self._seconds_per_file - max((job.seconds for job in files), default=0.0)
        seconds = min(max(left, 1.0) * max(len(files), 1), _LONGEST_RETRY)
        raise QueueFullError(
            f"{len(files)} files wait already: send it again in {math.ceil(seconds)} s",
            retry_after=seconds,
        )

    # ---- the worker's thread

    def _run(self) -> None:
        try:
            self._load_engine()
            self.work = None
            while self._perform_next():
                pass
        except Exception as error:  # noqa: BLE001 (it must not end unnoticed)
            # Not by any job: those cost no more than themselves. Without this thread there is no text.
            _log.exception("the worker failed")
            self._give_up(f"the speech model's thread has ended ({_described(error)})")
            self._on_critical(str(self.failure))
        finally:
            self.ready.clear()
            with self._changed:
                self._stopping = True
            self._refuse(live=True)
            self._engine = None

    def _next(self) -> Job | FileJob | Callable[[], None] | None:
        """What is to be done; waits for it. None when it is time to end."""
        with self._changed:
            while True:
                if self._wants_reload and not self._stopping:
                    self._wants_reload = False
                    return self._load_anew
                self._current = self._queue.take()
                if self._current is not None or self._stopping:
                    return self._current
                self._changed.wait()

    def _perform_next(self) -> bool:
        # A variable in the loop would keep the last job's audio while there is nothing to do.
        task = self._next()
        if isinstance(task, Job | FileJob):
            seconds = max(1.0, task.audio_seconds)
            self.work = Work(
                f"an inference of {task.audio_seconds:.1f} s of audio",
                _SLOWER_THAN_EVER * self._slowest * seconds,
            )
            started = time.monotonic()
            self._perform(task)
            self._slowest = max(self._slowest, (time.monotonic() - started) / seconds)
        elif task is not None:
            task()
        self.work = None
        return task is not None

    def _perform(self, job: Job | FileJob) -> None:
        if self._engine is None:  # it was queued for an engine that then could not be loaded
            job.fail(PipelineError(self.failure or _STOPPED))
            return
        is_changed = False
        try:
            progress = job.advance(self._engine)
        except ModelChangedError as error:
            is_changed, fault = True, str(error)
        except RTAPException as error:  # a bad option or bad audio; the engine is not at fault
            job.fail(error)
            return
        except Exception as error:  # noqa: BLE001 (the worker outlives whatever the engine does)
            _log.exception("inference failed")
            fault = _described(error)
        else:
            if progress in {Progress.HEARD, Progress.DONE}:
                self._failures, self._reloaded = 0, False
                self.last_success = time.monotonic()
            if isinstance(job, FileJob):
                self._after_turn(job, progress)
            if progress is Progress.DONE:
                job.deliver()
            return
        # Out here the traceback is gone, which would keep the engine in memory beside its successor.
        self._blame(job, fault, is_changed=is_changed)

    def _blame(self, job: Job | FileJob, fault: str, *, is_changed: bool) -> None:
        """A job failed that should not have: find out what is at fault, and go on without it."""
        if is_changed:
            job.fail(ModelChangedError(fault))
            self._replace_changed(fault)
            return
        job.fail(PipelineError(f"speech recognition failed ({fault}): try again"))
        is_probe = isinstance(job, Job) and job.work is _small_inference
        if is_probe or not self._works_without_options():
            self._failed(fault)

    def _works_without_options(self) -> bool:
        """After a failure: whether an inference that is nobody's works.

        If it does, what failed were the options or the audio of one request, and nobody may end the service
        with those by sending them again and again.
        """
        assert self._engine is not None
        try:
            _small_inference(self._engine)
        except Exception:  # noqa: BLE001 (whatever it is, the model is at fault)
            _log.exception(
                "the inference that was to show whether the model still works failed too"
            )
            return False
        _log.warning("the model still works: what failed was one request, which does not count")
        self._failures, self._reloaded = 0, False
        self.last_success = time.monotonic()
        return True

    def _after_turn(self, job: FileJob, progress: Progress) -> None:
        if job.result is not None:
            self._seconds_per_file += (job.seconds - self._seconds_per_file) / 2
            self._count(job.result.inference_time)
        if progress not in {Progress.READING, Progress.HEARD}:
            return
        with self._changed:
            refused = self._stopping
            if not refused:
                self._queue.add_file(job)
                self._current = None
        if refused:
            job.fail(PipelineError(_STOPPED))

    def _transcribe(
        self, utterance: Utterance, source: Source, options: TranscribeOptions, engine: Engine
    ) -> Transcript:
        return self._transcript(
            utterance, source, self._hear_all(utterance.samples, options, engine)
        )

    def _transcript(self, utterance: Utterance, source: Source, heard: Transcription) -> Transcript:
        now = self._clock()
        return Transcript(
            text=heard.text,
            session_id=utterance.session_id,
            utterance_id=utterance.utterance_id,
            language=heard.language,
            language_probability=heard.language_probability,
            duration=heard.duration,
            inference_time=heard.inference_time,
            latency=max(0.0, now - utterance.ended_at),  # the clock may have been set back
            timestamp=now,
            confidence=confidence(heard.segments),
            source=source,
        )

    def _text(self, samples: Samples, options: TranscribeOptions, engine: Engine) -> str:
        return self._hear(samples, options, engine).text

    def _hear_all(
        self, samples: Samples, options: TranscribeOptions, engine: Engine
    ) -> Transcription:
        """A whole utterance, or what may be one."""
        started = time.perf_counter()
        heard = self._hear(samples, options, engine)
        taken = time.perf_counter() - started
        self._seconds_per_utterance += (taken - self._seconds_per_utterance) / 2
        return heard

    def _hear(self, samples: Samples, options: TranscribeOptions, engine: Engine) -> Transcription:
        heard = engine.transcribe(samples, options)
        self._count(heard.inference_time)
        return heard

    def _count(self, seconds: float) -> None:
        try:
            self._on_inference(seconds)
        except Exception:  # noqa: BLE001 (metrics shall not cost a transcript)
            _log.exception("the time of an inference could not be noted")

    def _count_speculation(self, *, used: bool) -> None:
        try:
            self._on_speculation(used)
        except Exception:  # noqa: BLE001 (metrics shall not cost a transcript)
            _log.exception("a speculation could not be noted")

    def _load_engine(self) -> None:
        self.work = Work("loading the model")
        try:
            engine = self._load()
            self._slowest = max(self._slowest, _small_inference(engine))
        except RTAPException as error:
            self._give_up(f"no speech model is loaded: {error}")
            return
        except Exception as error:  # noqa: BLE001 (the service shall say why it is not ready)
            _log.exception("loading failed")
            if self._fall_back():
                self._load_engine()
                return
            self._give_up(
                f"no speech model is loaded ({_described(error)}): `rtap models list` shows what is wrong"
            )
            return
        self._engine = engine
        self._failures = 0
        self.last_success = time.monotonic()
        self.ready.set()

    def _failed(self, fault: str) -> None:
        """An inference failed, and one without options too: after some in a row the model is suspected."""
        self._failures += 1
        if self._failures < MAX_FAILURES:
            return
        if self._reloaded:
            self._give_up(
                f"speech recognition goes on failing after the model was loaded anew ({fault}): "
                f"restart the service, and look at its log"
            )
            self._on_critical(str(self.failure))
            return
        _log.error("%d inferences failed in a row: loading the model anew", self._failures)
        self._reloaded = True
        with self._changed:
            self._models += 1
        self._fall_back()
        self._load_anew()

    def _replace_changed(self, fault: str) -> None:
        """The files were written to under the model: take what they hold now, if that is whole."""
        _log.error("%s", fault)
        with self._changed:
            self._models += 1
        self._load_anew()
        if self.failure is not None:
            # Perhaps they are being copied: whoever starts the process anew gives them time for that.
            self._on_critical(self.failure)

    def _fall_back(self) -> bool:
        """Whether there is another way to load the model from now on."""
        if self._fallback is None:
            return False
        _log.warning("going on without the accelerator: the speech model runs on the CPU")
        self._load, self._fallback = self._fallback, None
        return True

    def _load_anew(self) -> None:
        self.ready.clear()
        with self._changed:
            begun = self._queue.drain_begun_files()
        for job in begun:
            job.fail(PipelineError("the speech model had to be loaded anew: send the audio again"))
        self._engine = None  # there may be no memory for two
        self._load_engine()

    def _give_up(self, reason: str) -> None:
        _log.error("%s", reason)
        self.ready.clear()
        with self._changed:
            self.failure = reason
        self._refuse(live=True, reason=reason)
        self._engine = None

    # ---- any thread

    def _refuse(self, *, live: bool, reason: str = _STOPPED) -> None:
        with self._changed:
            jobs = self._queue.drain(live=live)
        for job in jobs:
            if isinstance(job, Speculation):
                job.future.cancel()  # nobody waits for it
            fail(job.future, PipelineError(reason))


def _small_inference(engine: Engine) -> float:
    """Transcribe a second of silence; returns the seconds that it took."""
    from rtap.whisper.transcribe import TranscribeOptions

    started = time.perf_counter()
    # Silence is improbable at any temperature: one is enough.
    engine.transcribe(np.zeros(SAMPLE_RATE, np.float32), TranscribeOptions(temperatures=(0.0,)))
    return time.perf_counter() - started


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _queued(
    future: Future[Any], refusal: PipelineError | None, moot: Job | None = None
) -> Future[Any]:
    """For the end of a method, without the lock: futures run their callbacks at once."""
    if moot is not None:
        moot.future.cancel()
    if refusal is not None:
        fail(future, refusal)
    return future


def _copy(source: Future[float], to: Future[float]) -> None:
    error = source.exception()
    if error is None:
        settle(to, source.result())
    elif isinstance(error, Exception):
        fail(to, error)


def confidence(segments: Sequence[Segment]) -> float:
    """Mean probability (geometric) of all tokens, 0 to 1; 0 when there are none.

    Where a command was heard that another one comes close to, it is at most the chance that it was this one.
    """
    tokens = sum(len(segment.tokens) for segment in segments)
    if tokens == 0:
        return 0.0
    total = sum(segment.average_log_probability * len(segment.tokens) for segment in segments)
    return min(math.exp(total / tokens), *(segment.certainty for segment in segments))
