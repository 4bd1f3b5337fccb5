"""What the readings of many rounds come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks.asr.process import Reading
from tools.benchmarks.asr.rounds import MORE_TOKENS, Case, Readings, Start, rotated, run_rounds

THREE = Case.of(3)


def reading(cpu: float, tokens: int = 13) -> Reading:
    return Reading(wall=cpu / 2, cpu=cpu, tokens=tokens, peak=0)


def test_a_command_of_three_seconds_has_thirteen_tokens() -> None:
    assert Case(3, 13) == THREE
    assert THREE.longer == Case(3, 13 + MORE_TOKENS)
    assert Case.of(0.1).tokens == 1


def test_medians() -> None:
    readings = Readings()
    readings.runs[THREE] = [reading(0.3), reading(0.1), reading(0.2), reading(9.0), reading(0.2)]
    assert readings.cpu(THREE) == 0.2
    assert readings.wall(THREE) == 0.1
    assert readings.spread(THREE) == pytest.approx(0.5)


def test_the_cost_of_a_token_is_that_of_those_that_were_decoded() -> None:
    readings = Readings()
    readings.runs[THREE] = [reading(0.1), reading(0.2), reading(0.1)]
    readings.runs[THREE.longer] = [reading(0.3, 33), reading(0.6, 33), reading(0.3, 33)]
    assert readings.per_token(THREE) == pytest.approx(0.01)


def test_an_engine_that_goes_on_as_it_likes_has_no_cost_of_a_token() -> None:
    readings = Readings()
    readings.runs[THREE] = [reading(0.1)]
    readings.runs[THREE.longer] = [reading(0.1, 13)]
    assert readings.per_token(THREE) is None


def test_nothing_measured() -> None:
    readings = Readings()
    assert (readings.cpu(THREE), readings.wall(THREE), readings.spread(THREE)) == (None,) * 3
    assert readings.per_token(THREE) is None
    assert readings.start(lambda start: start.seconds) is None


def test_starts() -> None:
    readings = Readings(starts=[Start(3.0, 1.0, 10, 20), Start(1.0, 0.5, 30, 40)])
    assert readings.start(lambda start: start.seconds) == 2.0
    assert readings.start(lambda start: start.peak_short) == 20


def test_rotated() -> None:
    assert [rotated("abc", by) for by in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]
    assert rotated([], 1) == []


def test_every_engine_has_its_turn_and_the_first_round_does_not_count() -> None:
    order: list[tuple[str, int]] = []

    class Scripted:
        def __init__(self, name: str) -> None:
            self.name = name

        def transcribe(self, samples: Path, tokens: int) -> Reading:
            order.append((self.name, tokens))
            return reading(0.1)

    workers: dict[str, Any] = {name: Scripted(name) for name in ("ours", "theirs")}
    readings = {name: Readings() for name in workers}
    rounds: list[int] = []
    cases = {Case(1, 4): Path(), THREE: Path()}
    run_rounds(workers, readings, cases, 2, rounds.append)
    assert rounds == [0, 1, 2]
    assert order[:4] == [("ours", 4), ("theirs", 4), ("ours", 13), ("theirs", 13)]
    assert order[4:6] == [("theirs", 4), ("ours", 4)]
    assert [len(readings["ours"].runs[case]) for case in cases] == [2, 2]
