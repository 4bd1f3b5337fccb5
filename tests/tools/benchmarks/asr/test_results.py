"""How readings become tables and goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.measure import Measured
from tools.benchmarks.asr.process import Reading
from tools.benchmarks.asr.recordings import Command
from tools.benchmarks.asr.results import results
from tools.benchmarks.asr.rounds import Readings
from tools.benchmarks.result import Figure, Result
from tools.model.evaluation.data import Utterance

BASE = pi4.Shape(512, 6, 6, 80, 51_865)
SAID = [
    Utterance(Path("a.wav"), "turn left", "car", language="en"),
    Utterance(Path("b.wav"), "set it to twenty one", "car", language="en"),
    Utterance(Path("c.wav"), "einundzwanzig Grad", "haus", language="de"),
]
COMMANDS = [
    Command(one, Path("x.npy"), seconds) for one, seconds in zip(SAID, (2.5, 3.5, 9.0), strict=True)
]
RIGHT = ("Turn left.", "Set it to 21.", "21 Grad")


def engine(
    texts: tuple[str, ...] = RIGHT,
    cpu: float = 0.1,
    contexts: tuple[float, ...] = (4.0,),
    peak: int = 100_000_000,
) -> Readings:
    readings = Readings("1.0", 0.25)
    for command, text in zip(COMMANDS, texts, strict=False):
        readings.runs[command.utterance.clip] = [Reading(cpu / 2, cpu, text, contexts, peak)]
    return readings


def report(**engines: Readings) -> list[Result]:
    named = {name.replace("_", "-"): one for name, one in engines.items()}
    disk = dict.fromkeys(named, 108_000_000)
    return results(Measured(COMMANDS, named, disk, ["onnx-asr: give --install"]), BASE)


def goals(**engines: Readings) -> dict[str, Figure]:
    return {figure.name: figure for figure in report(**engines)[0].figures}


WRONG = ("Turn right.", "Set it to 21.", "21 Grad")


def test_goals() -> None:
    found = goals(
        rtap=engine(WRONG, cpu=0.1),
        rtap_30s_fp32=engine(cpu=1.0),
        faster_whisper=engine(WRONG, cpu=1.0),
        ctranslate2_short=engine(cpu=0.12),
    )
    above = found["our word error rate above that of rtap-30s-fp32"]
    assert above.value == pytest.approx(100 / 8)
    assert above.reached is False
    assert found["our word error rate above that of faster-whisper"].value == 0.0
    assert found["our word error rate above that of faster-whisper"].reached is True
    share = found["our processor time over that of faster-whisper"]
    assert share.value == pytest.approx(0.1)
    assert (share.target, share.reached) == ("<= 0.15", True)
    assert found["our processor time over that of ctranslate2-short"].reached is False
    assert found["encodes per command"].value == 1.0
    assert (found["peak memory"].value, found["peak memory"].reached) == (100.0, True)


def test_a_second_encoding_shows() -> None:
    found = goals(rtap=engine(contexts=(4.0, 30.0), peak=300_000_000))
    assert (found["encodes per command"].value, found["encodes per command"].reached) == (2, False)
    assert found["peak memory"].reached is False


def test_peers_that_are_missing_are_goals_that_were_not_measured() -> None:
    found = goals(rtap=engine())
    share = found["our processor time over that of faster-whisper"]
    assert (share.value, share.reached) == (None, None)


def test_without_ours_there_are_no_goals() -> None:
    assert goals(faster_whisper=engine()) == {}


def test_tables() -> None:
    broken = Readings(failure="faster_whisper_engine failed: no memory")
    result = report(rtap=engine(WRONG, contexts=(4.0, 30.0)), faster_whisper=broken)[0]
    overview, errors, times = result.tables
    row = dict(zip(overview.header[1:], overview.rows[0][1], strict=True))
    assert row["WER %"] == pytest.approx(100 / 8)
    assert (row["encodes"], row["context s"]) == (2.0, 34.0)
    assert row["processor s"] == pytest.approx(0.1)
    assert row["wall s"] == pytest.approx(0.05)
    assert (row["peak MB"], row["load s"], row["MB on disk"]) == (100.0, 0.25, 108.0)
    assert overview.rows[1] == ("faster-whisper", [*[None] * 9, 108.0])
    assert errors.header == ["set", "rtap", "faster-whisper"]
    assert errors.rows == [
        ("car", [pytest.approx(100 / 6), None]),
        ("haus", [0.0, None]),
        ("all English", [pytest.approx(100 / 6), None]),
        ("all German", [0.0, None]),
    ]
    assert times.rows[0] == ("car", [pytest.approx(100), None])
    assert "Not measured: onnx-asr: give --install." in result.notes
    assert "faster-whisper failed: faster_whisper_engine failed: no memory." in result.notes
    assert any(note.startswith("rtap (1.0): rtap, int8") for note in result.notes)


def test_the_estimate_is_of_commands_of_three_seconds_as_they_were_encoded() -> None:
    estimate = report(rtap=engine(contexts=(4.0,)))[-1]
    assert "An estimate, no measurement" in estimate.what
    command, padded = estimate.figures
    assert command.value == pytest.approx(1000 * pi4.utterance(BASE, (4.0,), 13, 1))
    assert padded.value == pytest.approx(1000 * pi4.utterance(BASE, (30.0,), 13, 1))
    assert command.reached is True
    assert [table.rows for table in estimate.tables] == [[("4", [2.0])]]
    again = report(rtap=engine(contexts=(4.0, 30.0)))[-1].figures[0]
    assert again.value is not None
    assert padded.value is not None
    assert again.value > padded.value
    assert again.reached is False


def test_no_estimate_without_a_command() -> None:
    estimate = report(rtap=Readings())[-1]
    assert (estimate.figures[0].value, list(estimate.tables)) == (None, [])
