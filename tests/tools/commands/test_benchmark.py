"""tools/benchmark: the command line, with measurements that are made up, and with real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtap.errors import ModelError
from tests.tools.conftest import Done, Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.attacks import ATTACKS
from tools.benchmarks.service.measures import Measure
from tools.benchmarks.service.plan import Plan
from tools.commands import benchmark
from tools.root import ROOT

Run = Callable[..., Done]
AUDIO = ROOT / "tests/audio"
ASR = ("--weights", "/nowhere", "--recordings", "/nowhere")


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
        (["asr"], "required: --weights, --recordings"),
        (["asr", *ASR, "--limit", "0"], "'0' is not a number from 1 on"),
        (["asr", *ASR, "--plot", "plot.txt"], "'plot.txt' is no picture: give a name that ends in"),
        (["asr", *ASR, "--markdown", "."], "is a folder: give --markdown the name of a file"),
        (["asr", *ASR, "--engine", "sphinx"], "invalid choice: 'sphinx'"),
        (["asr", *ASR], "no checkpoint directory at /nowhere"),
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


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    lines = [
        {"audio": str(AUDIO / name), "text": text, "set": name}
        for name, text in {
            "navigate_home.wav": "navigate home",
            "turn_on_the_heating.wav": "turn on the heating",
        }.items()
    ]
    manifest = tmp_path / "recordings.jsonl"
    manifest.write_text("\n".join(json.dumps(line) for line in lines))
    return manifest


def test_recordings_are_checked_before_anything_is_made(
    start: Start, checkpoint: Path, recordings: Path, tmp_path: Path
) -> None:
    given = ("asr", "--weights", checkpoint, "--recordings", recordings)
    done = start(benchmark.main, *given, "--sets", "train")
    assert (done.status, done.out) == (2, "")
    assert "has no set train: give --sets some of navigate_home.wav" in done.err
    tiny_checkpoint(tmp_path / "tiny")
    done = start(benchmark.main, *given, "--adapted", tmp_path / "tiny")
    assert done.status == 2
    assert "has other sizes than" in done.err


@pytest.mark.slow
def test_engines_on_the_same_weights_and_recordings(
    start: Start, checkpoint: Path, recordings: Path
) -> None:
    engines = ("--engine", "rtap", "--engine", "rtap-30s-fp32", "--engine", "transformers")
    given = ("asr", "--weights", checkpoint, "--recordings", recordings, "--json", "--limit", "1")
    done = start(benchmark.main, *given, *engines, "--sets", "navigate_home.wav")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    comparison, estimate = document["results"]
    rows = dict(comparison["tables"][0]["rows"])
    assert list(rows) == ["rtap", "rtap-30s-fp32", "transformers"]
    assert all(row[0] > 50 for row in rows.values()), "random weights hear nothing"
    assert all(row[3] > 0 for row in rows.values())
    assert rows["rtap"][6] < 60 > rows["transformers"][6] == 30
    figures = {one["name"]: one for one in comparison["figures"]}
    assert figures["our word error rate above that of rtap-30s-fp32"]["value"] is not None
    assert estimate["figures"][1]["value"] > 0


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
    assert figures["connections"]["value"] == 4 * len(ATTACKS)
