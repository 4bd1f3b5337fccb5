"""What single measurements make of what they saw."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.errors import ModelError
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service import ring_buffer, soak
from tools.benchmarks.service.beside_a_file import lone_latencies
from tools.benchmarks.service.load import Answer
from tools.benchmarks.service.measures import measure_all
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.soak import Sample, Watched
from tools.benchmarks.service.speech import Phrase

HOME, LEFT = (Phrase(text, np.zeros(1, np.float32), 1) for text in ("navigate home", "turn left"))


BEFORE = Sample(0.0, 200.0, 30, 20)


def watched(
    per_hour: float = 0.0, noise: float = 1.0, *, left: int = 0, more_threads: int = 0
) -> Watched:
    """Half an hour under load.

    Args:
        per_hour: megabytes by which memory grows.
        noise: standard deviation of memory, in megabytes.
        left: descriptors that are open in the end and were not before.
        more_threads: that are started in an hour.
    """
    rng = np.random.default_rng(0)
    seconds = np.arange(0.0, 1800.0, 5.0)
    megabytes = 300 + per_hour * seconds / 3600 + rng.normal(0, noise, seconds.size)
    megabytes[seconds < 150] -= 100  # the memory that the first requests need
    samples = [
        Sample(float(now), float(size), 40 + index % 3, 25 + int(more_threads * now / 3600))
        for index, (now, size) in enumerate(zip(seconds, megabytes, strict=True))
    ]
    return Watched(BEFORE, samples, Sample(0.0, 210.0, 30 + left, 22))


def figure(seen: Watched, name: str) -> Figure:
    return next(one for one in soak.figures(seen) if one.name == name)


@pytest.mark.parametrize(
    ("megabytes_per_hour", "noise", "reached"),
    [
        (0.0, 1.0, True),
        (4.0, 0.1, True),
        (60.0, 1.0, False),
        (60.0, 500.0, True),
        (-60.0, 1.0, True),
    ],
)
def test_memory_that_grows_is_told_from_memory_that_wavers(
    *, megabytes_per_hour: float, noise: float, reached: bool
) -> None:
    slope = figure(watched(megabytes_per_hour, noise), "slope of memory")
    assert slope.reached is reached
    assert slope.value == pytest.approx(megabytes_per_hour, abs=3 * (slope.error or 0))


@pytest.mark.parametrize(("left", "reached"), [(0, True), (-1, True), (1, False)])
def test_descriptors_that_stay_open(*, left: int, reached: bool) -> None:
    found = figure(watched(left=left), "descriptors left behind")
    assert (found.value, found.reached) == (left, reached)


@pytest.mark.parametrize(("more", "reached"), [(0, True), (60, False)])
def test_threads_that_pile_up(*, more: int, reached: bool) -> None:
    assert figure(watched(more_threads=more), "slope of threads").reached is reached


def test_what_nobody_saw_is_not_flat() -> None:
    nothing = soak.figures(Watched(BEFORE))
    judged = [one for one in nothing if one.target]
    assert [(one.value, one.reached) for one in judged] == [(None, False)] * 4


def test_a_final_is_compared_with_the_same_command() -> None:
    answers = [
        *(Answer(HOME, latency, 0.1, "navigate home") for latency in (0.6, 0.8, 0.7)),
        Answer(LEFT, 0.9, 0.1, "turn left"),
    ]
    assert lone_latencies(answers) == {"navigate home": 0.7, "turn left": 0.9}


def test_every_operation_of_the_ring_buffer_is_timed() -> None:
    for measured in (ring_buffer.alone(200), ring_buffer.with_reader(200)):
        assert len(measured.writes) == len(measured.reads) == 200
        assert min(measured.writes + measured.reads) > 0


def test_one_failure_does_not_keep_the_rest_from_being_measured() -> None:
    def good(plan: Plan) -> Result:
        return Result("good", "", (Figure("one", 1.0, ""),))

    def bad(plan: Plan) -> Result:
        raise ModelError("no model")

    begun: list[str] = []
    measures = {"bad": bad, "good": good}
    failed, done = measure_all((), Plan(), begun.append, measures)
    assert (failed.name, failed.failure) == ("bad", "no model")
    assert (done.name, done.failure) == ("good", None)
    assert begun == ["bad", "good"]
    assert [one.name for one in measure_all(["good"], Plan(), begun.append, measures)] == ["good"]
