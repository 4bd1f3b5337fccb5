"""What of all that waits is next, without a worker."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rtap.stages.stt_jobs import FileJob, Job, JobQueue, Speculation
from rtap.whisper.transcribe import TranscribeOptions

ENGLISH = TranscribeOptions(language="en")


def job() -> Job:
    return Job(lambda _: None)


def speculation() -> Speculation:
    samples = np.arange(3, dtype=np.float32)
    return Speculation(lambda _: None, samples=samples, options=ENGLISH, model=0)


def file() -> FileJob:
    return FileJob([], ENGLISH, threading.Event(), lambda _: None)


@pytest.fixture
def waiting() -> JobQueue:
    return JobQueue()


def test_classes(waiting: JobQueue) -> None:
    last, partial, ahead, probe, live = file(), job(), speculation(), job(), job()
    waiting.add_file(last)
    waiting.set_partial("a", "u", partial)
    waiting.set_speculation("b", ahead)
    waiting.set_probe(probe)
    waiting.add_live("c", live)
    taken = [waiting.take() for _ in range(6)]
    assert taken == [live, probe, ahead, partial, last, None]


def test_one_speculation_for_each_session(waiting: JobQueue) -> None:
    old, new, other = speculation(), speculation(), speculation()
    assert waiting.set_speculation("a", old) is None
    assert waiting.set_speculation("b", other) is None
    assert waiting.set_speculation("a", new) is old
    assert not waiting.drop_speculation("a", old)
    assert [waiting.take(), waiting.take(), waiting.take()] == [new, other, None]


def test_a_speculation_is_taken_back_once(waiting: JobQueue) -> None:
    ahead = speculation()
    waiting.set_speculation("a", ahead)
    assert not waiting.drop_speculation("b", ahead)
    assert waiting.drop_speculation("a", ahead)
    assert not waiting.drop_speculation("a", ahead)
    assert waiting.take() is None


def test_a_speculation_is_no_whole_utterance(waiting: JobQueue) -> None:
    live, ahead = job(), speculation()
    waiting.add_live("a", live)
    waiting.set_speculation("b", ahead)
    assert (waiting.live, waiting.live_of("b")) == (1, 0)
    assert waiting.drain(live=False) == [ahead]
    assert [waiting.take(), waiting.take()] == [live, None]


@pytest.mark.parametrize(
    ("samples", "options", "is_same"),
    [
        ([0, 1, 2], ENGLISH, True),
        ([0, 1, 3], ENGLISH, False),
        ([0, 1], ENGLISH, False),
        ([0, 1, 2], TranscribeOptions(language="en", beam_size=2), False),
    ],
)
def test_what_a_speculation_stands_for(
    samples: list[int], options: TranscribeOptions, *, is_same: bool
) -> None:
    assert speculation().is_of(np.array(samples, np.float32), options) is is_same
