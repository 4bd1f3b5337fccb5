"""How readings become tables and goals."""

from __future__ import annotations

import pytest

from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.measure import SHORT, Measured
from tools.benchmarks.asr.process import Reading
from tools.benchmarks.asr.results import results
from tools.benchmarks.asr.rounds import MORE_TOKENS, Case, Readings, Start
from tools.benchmarks.result import Figure, Result

BASE = pi4.Shape(512, 6, 6, 80, 51_865)
ONE, THIRTY = Case.of(1), Case.of(30)


def engine(second: float, token: float, memory: int, start: float) -> Readings:
    """That takes so many seconds for a second of audio, and so many more for a token."""
    readings = Readings("1.0", starts=[Start(start, start / 2, memory, 2 * memory)])
    for case in (ONE, SHORT, SHORT.longer, THIRTY):
        cpu = second * case.seconds + token * case.tokens
        readings.runs[case] = [Reading(cpu / 2, cpu, case.tokens, memory)]
    return readings


def report(**engines: Readings) -> list[Result]:
    named = {name.replace("_", "-"): one for name, one in engines.items()}
    disk = dict.fromkeys(named, 108_000_000)
    return results(
        Measured({1: named}, disk, {"onnx-asr": "give --install"}), BASE, lambda s: s + 1
    )


def goals(**engines: Readings) -> dict[str, Figure]:
    return {figure.name: figure for figure in report(**engines)[0].figures}


OURS = engine(0.01, 0.005, 100_000_000, 0.5)
SLOW = engine(0.5, 0.01, 300_000_000, 2.0)
CLOSE = engine(0.02, 0.006, 120_000_000, 0.4)


def test_goals() -> None:
    found = goals(rtap=OURS, faster_whisper=SLOW, ctranslate2_short=CLOSE)
    times = found["faster-whisper over ours, 3 s"]
    assert times.value == pytest.approx((1.5 + 0.13) / (0.03 + 0.065))
    assert (times.reached, times.target) == (True, ">= 10 times")
    assert found["ctranslate2-short over ours, 3 s"].reached is True
    assert found["fastest peer over ours, 30 s"].reached is True
    assert found["fastest peer over ours, a token"].value == pytest.approx(1.2)
    assert found["smallest peer's memory over ours, 3 s"].value == pytest.approx(1.2)
    assert found["our memory, 3 s"].reached is True
    assert found["quickest peer's cold start over ours"].reached is False
    assert found["our cost of 30 s over that of 1 s"].reached is True


def test_peers_that_are_missing_are_goals_that_were_not_measured() -> None:
    found = goals(rtap=OURS)
    assert (found["faster-whisper over ours, 3 s"].value, found["our memory, 3 s"].value) == (
        None,
        100.0,
    )
    assert found["fastest peer over ours, 30 s"].reached is None


def test_memory_is_compared_at_equal_precision() -> None:
    torch = engine(1.0, 0.04, 50_000_000, 9.0)
    found = goals(rtap=OURS, transformers=torch, ctranslate2_short=CLOSE)
    assert found["smallest peer's memory over ours, 3 s"].value == pytest.approx(1.2)


def test_without_ours_there_are_no_goals() -> None:
    assert goals(faster_whisper=SLOW) == {}


def test_tables() -> None:
    result = report(rtap=OURS, faster_whisper=SLOW)[0]
    time, wall, spread, other = result.tables
    assert time.header == ["engine", "1 s", "3 s", "30 s"]
    assert [name for name, _ in time.rows] == ["rtap", "faster-whisper"]
    cpu = 1000 * (0.03 + 13 * 0.005)
    assert time.rows[0][1][1] == pytest.approx(cpu)
    assert wall.rows[0][1][1] == pytest.approx(cpu / 2)
    assert spread.rows[0][1][1] == 0
    assert other.rows[0][1] == pytest.approx([5, 250, 500, 100, 200, 108])
    assert "Not measured: onnx-asr: give --install." in result.notes


def test_the_longer_decoding_is_no_column() -> None:
    assert SHORT.longer.tokens - SHORT.tokens == MORE_TOKENS
    assert "3 s" in report(rtap=OURS)[0].tables[0].header
    assert len(report(rtap=OURS)[0].tables[0].header) == 4


def test_the_estimate_says_what_it_is() -> None:
    estimate = report(rtap=OURS)[-1]
    assert "An estimate, no measurement" in estimate.what
    [table] = estimate.tables
    by_name = dict(table.rows)
    assert by_name["int8, padded to 30 s"][1] is not None
    ours, padded = by_name["int8, audio's length"][1], by_name["int8, padded to 30 s"][1]
    assert ours is not None
    assert padded is not None
    assert padded > 5 * ours
    assert estimate.figures[0].reached is True
