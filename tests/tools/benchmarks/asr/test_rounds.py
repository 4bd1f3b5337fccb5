"""What the readings of many rounds come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rtap.errors import ModelError
from tools.benchmarks.asr.process import Reading
from tools.benchmarks.asr.recordings import Command
from tools.benchmarks.asr.rounds import Readings, rotated, run_rounds
from tools.model.evaluation.data import Utterance


def command(name: str, language: str = "en") -> Command:
    utterance = Utterance(Path(f"{name}.wav"), "turn left", "car", language=language)
    return Command(utterance, Path(f"{name}.npy"), 3.0)


def reading(cpu: float, text: str = "", peak: int = 0) -> Reading:
    return Reading(wall=cpu / 2, cpu=cpu, text=text, contexts=(4.0,), peak=peak)


ONE, TWO = command("one"), command("two", "de")


def test_what_was_heard_and_what_it_took() -> None:
    readings = Readings()
    runs = [reading(0.3, " Turn\nleft ", 10), reading(0.1, "other", 30), reading(0.2, "other", 20)]
    readings.runs["car/one.wav"] = runs
    heard = readings.heard(ONE)
    assert heard is not None
    assert (heard.text, heard.seconds, heard.contexts) == ("Turn left", 3.0, (4.0,))
    assert (heard.processor_time, heard.inference_time) == (0.2, 0.1)
    assert readings.peak == 30


def test_nothing_measured() -> None:
    assert Readings().heard(ONE) is None
    assert Readings().peak is None


def test_rotated() -> None:
    assert [rotated("abc", by) for by in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]
    assert rotated([], 1) == []


class Scripted:
    """Notes whose turn it is, and fails when it was told to."""

    def __init__(self, name: str, order: list[str], fails_at: int = 99) -> None:
        self.name = name
        self.order = order
        self.fails_at = fails_at
        self.turns = 0

    def transcribe(self, samples: Path, language: str) -> Reading:
        self.turns += 1
        if self.turns == self.fails_at:
            raise ModelError("it ended")
        self.order.append(f"{self.name} {samples.stem} {language}")
        return reading(0.1)


def test_every_engine_has_its_turn_and_the_first_one_does_not_count() -> None:
    order: list[str] = []
    workers: dict[str, Any] = {name: Scripted(name, order) for name in ("ours", "theirs")}
    readings = {name: Readings() for name in workers}
    rounds: list[int] = []
    run_rounds(workers, readings, [ONE, TWO], 2, rounds.append)
    assert rounds == [1, 2]
    assert order == [
        *("ours one en", "theirs one en"),
        *("theirs one en", "ours one en", "ours two de", "theirs two de"),
        *("ours one en", "theirs one en", "theirs two de", "ours two de"),
    ]
    assert {clip: len(runs) for clip, runs in readings["ours"].runs.items()} == {
        "car/one.wav": 2,
        "car/two.wav": 2,
    }


@pytest.mark.parametrize(("turn", "counted"), [(1, 0), (2, 0), (3, 1)])
def test_who_fails_is_out_and_keeps_back_nobody(turn: int, counted: int) -> None:
    workers: dict[str, Any] = {"ours": Scripted("ours", []), "theirs": Scripted("theirs", [], turn)}
    readings = {name: Readings() for name in workers}
    run_rounds(workers, readings, [ONE, TWO], 1, lambda _: None)
    assert sum(map(len, readings["ours"].runs.values())) == 2
    assert sum(map(len, readings["theirs"].runs.values())) == counted
    assert (readings["ours"].failure, readings["theirs"].failure) == ("", "it ended")
