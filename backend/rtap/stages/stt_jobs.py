"""What waits for the model, and what of it is next. Knows no thread: its owner locks.

Whole utterances come first, then probes, then what may be a whole utterance, then partial results, then
files. Sessions take turns, and so do files; within a session the order is kept.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.errors import PipelineError, RTAPException

if TYPE_CHECKING:
    from rtap.whisper.result import Segment, Transcription
    from rtap.whisper.transcribe import Steps, TranscribeOptions

LONGEST_BLOCK: Final = SAMPLE_RATE
"""Samples of a file that are taken in at a time: searching a second for speech takes milliseconds."""


LONGEST_TURN: Final = 30.0
"""Seconds of audio that one turn of a file takes at most: a window."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What the worker does at the moment. Each time it is another object."""

    what: str
    patience: float = 0.0
    """Seconds that it may take on this machine, by what was measured before; 0: nothing was."""


class Engine(Protocol):
    """What is needed of :class:`rtap.whisper.engine.WhisperEngine`. Used by one thread only."""

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        """Transcribe speech that is cut already, at most 30 s."""

    def steps(self, blocks: Iterable[Samples], options: TranscribeOptions) -> Steps:
        """Transcribe a file; between two steps everything else may be called."""


class Progress(Enum):
    """How far a job came in its turn."""

    DROPPED = auto()
    """Nobody wants it any more."""
    READING = auto()
    """More to come; the model was not asked yet."""
    HEARD = auto()
    """More to come; the model gave a part."""
    DONE = auto()


@dataclass(eq=False, slots=True)
class Job:
    """One inference."""

    work: Callable[[Engine], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    audio_seconds: float = 1.0
    """Length of what is transcribed."""

    def advance(self, engine: Engine) -> Progress:
        """Do it; what goes wrong is raised. Afterwards comes :meth:`deliver` or :meth:`fail`."""
        if not self.future.set_running_or_notify_cancel():
            return Progress.DROPPED
        self.result = self.work(engine)
        return Progress.DONE

    def deliver(self) -> None:
        """Give the result to who waits."""
        settle(self.future, self.result)

    def fail(self, error: Exception) -> None:
        """Tell who waits."""
        fail(self.future, error)


@dataclass(eq=False, slots=True, kw_only=True)
class Speculation(Job):
    """What may be a whole utterance, transcribed before that is sure.

    ``future`` gets the text, for who shows what was said so far.
    """

    samples: Samples
    options: TranscribeOptions
    model: int
    """Number of the model that is asked; another one may find another text."""
    heard: Future[Transcription] = field(default_factory=Future)
    """Done after the callbacks of ``future``: nothing partial follows a final that is made of it."""

    def is_of(self, samples: Samples, options: TranscribeOptions) -> bool:
        """Whether the result is what transcribing these samples would give."""
        return self.options == options and np.array_equal(self.samples, samples)

    def deliver(self) -> None:
        """Give the result to who waits."""
        settle(self.future, self.result.text)
        settle(self.heard, self.result)

    def fail(self, error: Exception) -> None:
        """Tell who waits."""
        fail(self.future, error)
        fail(self.heard, error)


@dataclass(eq=False, slots=True)
class FileJob:
    """A file, of which every turn does a second of audio or one window of speech."""

    blocks: Iterable[Samples]
    options: TranscribeOptions
    cancelled: threading.Event
    on_segment: Callable[[Segment], None]
    future: Future[Transcription] = field(default_factory=Future)
    seconds: float = 0.0
    """Time that it had."""
    result: Transcription | None = None
    steps: Steps | None = None
    """Set in the first turn. It belongs to one engine."""

    @property
    def audio_seconds(self) -> float:
        """Length of what one turn transcribes at most."""
        return LONGEST_TURN

    @property
    def is_unwanted(self) -> bool:
        """Whether its sender has gone. The future stays cancellable until the last turn."""
        return self.cancelled.is_set() or self.future.done()

    def advance(self, engine: Engine) -> Progress:
        """Take one turn; what goes wrong is raised. After the last comes :meth:`deliver` or :meth:`fail`."""
        if self.is_unwanted:
            self._end()
            self.future.cancel()
            return Progress.DROPPED
        started = time.perf_counter()
        try:
            if self.steps is None:
                self.blocks = _short_blocks(self.blocks)
                self.steps = engine.steps(self.blocks, self.options)
            segments = next(self.steps)
        except StopIteration as end:
            self.result = end.value
            return Progress.DONE
        finally:
            self.seconds += time.perf_counter() - started
        for segment in segments:
            _tell(self.on_segment, segment)
        return Progress.HEARD if segments else Progress.READING

    def deliver(self) -> None:
        """Give the result to who waits."""
        self._end()
        settle(self.future, self.result)

    def fail(self, error: Exception) -> None:
        """Tell who waits; for the worker's thread, as it ends the steps."""
        self._end()
        fail(self.future, error)

    def _end(self) -> None:
        for running in (self.steps, self.blocks):
            # Explicitly: the traceback of an error may keep them, and with them an open file.
            if isinstance(running, Generator):
                running.close()
        self.steps, self.blocks = None, ()


def _short_blocks(blocks: Iterable[Samples]) -> Iterator[Samples]:
    try:
        for block in blocks:
            for begin in range(0, block.size, LONGEST_BLOCK):
                yield block[begin : begin + LONGEST_BLOCK]
    except RTAPException:
        raise
    except Exception as error:
        # The engine is not at fault.
        raise PipelineError(
            f"the audio cannot be read on ({type(error).__name__}: {error}): send it again"
        ) from error
    finally:
        if isinstance(blocks, Generator):
            blocks.close()


def _tell(on_segment: Callable[[Segment], None], segment: Segment) -> None:
    try:
        on_segment(segment)
    except RTAPException:
        raise
    except Exception as error:
        raise PipelineError(
            f"a segment cannot be delivered ({type(error).__name__}: {error}): send the audio again"
        ) from error


def settle(future: Future[Any], value: object) -> None:
    """Deliver a result, unless nobody waits for it any more."""
    with contextlib.suppress(InvalidStateError):
        future.set_result(value)


def fail(future: Future[Any], error: Exception) -> None:
    """Deliver an error, unless nobody waits for it any more."""
    with contextlib.suppress(InvalidStateError):
        future.set_exception(error)


class JobQueue:
    """All that waits."""

    def __init__(self) -> None:
        # Dictionaries keep the order in which sessions came.
        self._live: dict[str, deque[Job]] = {}
        self._probe: Job | None = None
        self._speculations: dict[str, Speculation] = {}
        self._partials: dict[str, tuple[str, Job]] = {}
        self._files: deque[FileJob] = deque()

    def add_live(self, session_id: str, job: Job) -> None:
        """Queue a whole utterance."""
        self._live.setdefault(session_id, deque()).append(job)

    def live_of(self, session_id: str) -> int:
        """How many utterances of a session wait."""
        return len(self._live.get(session_id, ()))

    @property
    def live(self) -> int:
        """How many utterances wait."""
        return sum(len(jobs) for jobs in self._live.values())

    def set_speculation(self, session_id: str, job: Speculation) -> Speculation | None:
        """Queue what may be a whole utterance in the place of the session's last one, which is returned."""
        replaced = self._speculations.get(session_id)
        self._speculations[session_id] = job
        return replaced

    def drop_speculation(self, session_id: str, job: Speculation) -> bool:
        """Take it back; False where it does not wait any more."""
        if self._speculations.get(session_id) is not job:
            return False
        del self._speculations[session_id]
        return True

    def set_partial(self, session_id: str, utterance_id: str, job: Job) -> Job | None:
        """Queue a partial result in the place of the session's last one, which is returned."""
        replaced = self._partials.get(session_id)
        self._partials[session_id] = (utterance_id, job)  # a key that was there keeps its place
        return None if replaced is None else replaced[1]

    def drop_partial(self, session_id: str, utterance_id: str) -> Job | None:
        """Take back the partial result of an utterance, because all of it is there now."""
        if self._partials.get(session_id, ("", None))[0] != utterance_id:
            return None
        return self._partials.pop(session_id)[1]

    @property
    def probe(self) -> Job | None:
        """The probe that waits; one is enough for all who ask."""
        return self._probe

    def set_probe(self, job: Job) -> None:
        """Queue a probe."""
        self._probe = job

    def add_file(self, job: FileJob) -> None:
        """Queue a file behind all others: a new one, or one that had its turn."""
        self._files.append(job)

    def wanted_files(self) -> list[FileJob]:
        """The files that somebody waits for."""
        return [job for job in self._files if not job.is_unwanted]

    def take(self) -> Job | FileJob | None:
        """What is next; it no longer waits."""
        if self._live:
            session_id, jobs = next(iter(self._live.items()))
            del self._live[session_id]
            job = jobs.popleft()
            if jobs:
                self._live[session_id] = jobs
            return job
        if self._probe is not None:
            probe, self._probe = self._probe, None
            return probe
        if self._speculations:
            return self._speculations.pop(next(iter(self._speculations)))
        if self._partials:
            return self._partials.pop(next(iter(self._partials)))[1]
        return self._files.popleft() if self._files else None

    def drain_begun_files(self) -> list[FileJob]:
        """Take out the files that had a turn already."""
        begun = [job for job in self._files if job.steps is not None]
        self._files = deque(job for job in self._files if job.steps is None)
        return begun

    def drain(self, *, live: bool) -> list[Job | FileJob]:
        """Take out everything, or everything but whole utterances."""
        drained: list[Job | FileJob] = [*self._speculations.values()]
        drained += [job for _, job in self._partials.values()]
        drained += [self._probe] if self._probe is not None else []
        drained += self._files
        self._speculations, self._partials = {}, {}
        self._probe, self._files = None, deque()
        if live:
            drained += [job for jobs in self._live.values() for job in jobs]
            self._live = {}
        return drained
