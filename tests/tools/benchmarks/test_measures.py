"""What single measurements make of what they saw."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.errors import ModelError
from tools.benchmarks import memory, ring_buffer
from tools.benchmarks.beside_a_file import lone_latencies
from tools.benchmarks.load import Answer
from tools.benchmarks.memory import Samples
from tools.benchmarks.plan import Plan
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service import measure_all
from tools.benchmarks.speech import Phrase

HOME, LEFT = (Phrase(text, np.zeros(1, np.float32), 1) for text in ("navigate home", "turn left"))


def seen(megabytes_per_hour: float, noise: float) -> Samples:
    rng = np.random.default_rng(0)
    seconds = np.arange(0.0, 1800.0, 5.0)
    megabytes = 300 + megabytes_per_hour * seconds / 3600 + rng.normal(0, noise, seconds.size)
    megabytes[seconds < 150] -= 100  # the memory that the first requests need
    return Samples(list(seconds), list(megabytes))


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
    slope = memory.figures(seen(megabytes_per_hour, noise))[0]
    assert slope.reached is reached
    assert slope.value == pytest.approx(megabytes_per_hour, abs=3 * (slope.error or 0))


def test_memory_that_nobody_saw_is_not_flat() -> None:
    slope, *others = memory.figures(Samples())
    assert (slope.value, slope.reached) == (None, False)
    assert [figure.value for figure in others] == [None] * 3


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
