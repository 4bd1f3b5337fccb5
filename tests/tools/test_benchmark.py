"""tools/benchmark: the command line, with measurements that are made up, and with real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtap.errors import ModelError
from tests.tools.conftest import Done, Start
from tools import benchmark
from tools.benchmarks.plan import Plan
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service import Measure

Run = Callable[..., Done]


class Measured:
    """Measurements that note what they were asked for."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.fails = False

    def slow(self, plan: Plan) -> Result:
        self.plans.append(plan)
        if self.fails:
            raise ModelError("the service has ended")
        return Result("ring_buffer", "Far too slow.", (Figure("wait", 9.0, "s", "< 1 s", False),))

    def other(self, plan: Plan) -> Result:
        return Result("start", "Something else.", (Figure("it", 1.0, "s"),))

    @property
    def measures(self) -> dict[str, Measure]:
        return {"ring_buffer": self.slow, "start": self.other}


@pytest.fixture
def measured() -> Measured:
    return Measured()


@pytest.fixture
def measure(start: Start, measured: Measured) -> Run:
    def run(*arguments: str | Path) -> Done:
        def main(argv: list[str]) -> int:
            return benchmark.main(argv, measured.measures)

        return start(main, *arguments)

    return run


def test_a_missed_target_is_no_failure(measure: Run) -> None:
    done = measure("service")
    assert done.status == 0
    assert "| wait   |   9 s |  < 1 s |      no |" in done.out
    assert "tools/benchmark service" in done.out
    assert "Model cabin-en" in done.out
    assert done.err.splitlines() == ["benchmark: ring_buffer ...", "benchmark: start ..."]


def test_json_and_markdown_at_once(measure: Run, tmp_path: Path) -> None:
    target = tmp_path / "new/report.md"
    done = measure("service", "--json", "--markdown", target)
    assert [one["name"] for one in json.loads(done.out)["results"]] == ["ring_buffer", "start"]
    assert target.read_text().startswith("# Benchmark of the service\n")


def test_only_what_was_asked_for(measure: Run) -> None:
    done = measure("service", "--only", "start", "--json")
    assert [one["name"] for one in json.loads(done.out)["results"]] == ["start"]


def test_options_reach_the_measurement(measure: Run, measured: Measured, tmp_path: Path) -> None:
    measure("service", "--quick", "--minutes", "0.5", "--threads", "3")
    [plan] = measured.plans
    assert (plan.is_quick, plan.minutes, plan.settings.threads) == (True, 0.5, 3)
    assert plan.size(100, 2) == 2


def test_what_cannot_be_measured_shows_in_the_status(measure: Run, measured: Measured) -> None:
    measured.fails = True
    done = measure("service")
    assert done.status == 1
    assert "**Failed**: the service has ended" in done.out
    assert "Something else." in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "SUBJECT"),
        (["service", "--only", "everything"], "invalid choice: 'everything'"),
        (["service", "--minutes", "0"], "'0' is no length of time"),
        (["service", "--minutes", "nan"], "'nan' is no length of time"),
        (["service", "--threads", "0"], "'0' is not a number from 1 on"),
        (["service", "--markdown", "."], "is a folder: give --markdown the name of a file"),
        (["service", "--model", "/nowhere"], "no model /nowhere"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(
    arguments: list[str], message: str, measure: Run, measured: Measured
) -> None:
    done = measure(*arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert message in done.err
    assert measured.plans == []


@pytest.mark.slow
def test_a_quick_run_measures_the_real_service(start: Start) -> None:
    only = ("--only", "ring_buffer", "--only", "start", "--only", "fuzz")
    done = start(benchmark.main, "service", "--quick", "--json", *only)
    assert done.status == 0
    document = json.loads(done.out)
    figures = {one["name"]: one for result in document["results"] for one in result["figures"]}
    assert [result["failure"] for result in document["results"]] == [None] * 3
    assert figures["write, alone, p95"]["spread"]["count"] == 2_000
    assert figures["process start to /health 200, median"]["value"] > 0
    assert figures["connections"]["value"] == 48
