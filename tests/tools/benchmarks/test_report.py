from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tools.benchmarks.figures import distribution
from tools.benchmarks.machine import Machine, this_machine
from tools.benchmarks.report import Report, to_json, to_markdown
from tools.benchmarks.result import Figure, Result, percentiles

IDLE = Machine("Cortex-A72", 4, "Linux 6.6, Python 3.11", (0.5, 0.4, 0.3))
REPORT = Report(
    title="Benchmark of the service",
    command="tools/benchmark service",
    subject="Model small: int8",
    before=IDLE,
    after=replace(IDLE, load=(3.0, 2.0, 1.0)),
    is_quick=False,
    results=(
        Result(
            "answer",
            "From here to there.",
            (
                *percentiles("wait", distribution([100.0, 300.0]), "ms", 150.0),
                Figure("slope", -0.25, "MB/h", "< 6 MB/h", reached=True, error=0.5),
                Figure("lost", 0.0, "", "0", reached=True),
                Figure("unknown", None, "s"),
            ),
            ("2 of 2 answered.",),
        ),
        Result("memory", "Over time.", (), failure="the service has ended"),
    ),
)


def cells(markdown: str) -> list[list[str]]:
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_each_figure_stands_beside_its_target() -> None:
    markdown = to_markdown(REPORT)
    header, _, *rows = cells(markdown)
    assert header == ["figure", "value", "target", "reached"]
    assert rows == [
        ["wait, p50", "200 ms", "", ""],
        ["wait, p95", "290 ms", "< 150 ms", "no"],
        ["wait, p99", "298 ms", "", ""],
        ["slope", "-0.250 ± 0.500 MB/h", "< 6 MB/h", "yes"],
        ["lost", "0", "0", "yes"],
        ["unknown", "-", "", ""],
    ]
    assert len({len(line) for line in markdown.splitlines() if line.startswith("|")}) == 1
    assert "- 2 of 2 answered." in markdown
    assert "**Failed**: the service has ended" in markdown
    assert markdown.endswith("\n")


def test_says_what_it_ran_on() -> None:
    markdown = to_markdown(REPORT)
    assert "    tools/benchmark service\n" in markdown
    assert "Cortex-A72, 4 cores" in markdown
    assert "Load average 0.50 0.40 0.30 before, 3.00 2.00 1.00 after" in markdown
    assert "busy" not in markdown
    assert "quick" not in markdown


def test_warns_of_figures_that_mean_nothing() -> None:
    busy = replace(REPORT, before=replace(IDLE, load=(2.5, 0.0, 0.0)), is_quick=True)
    assert "**The machine was busy" in to_markdown(busy)
    assert "**A quick run" in to_markdown(busy)
    assert json.loads(to_json(busy))["machine"]["busy"] is True


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234.56, "1235"), (12.345, "12.3"), (1.2345, "1.23"), (0.0123, "0.0123"), (2e-5, "0.00002")],
)
def test_values_have_three_digits_that_mean_something(value: float, shown: str) -> None:
    result = Result("one", "", (Figure("it", value, ""),))
    assert cells(to_markdown(replace(REPORT, results=(result,))))[2][1] == shown


def test_json_has_all_of_it() -> None:
    document = json.loads(to_json(REPORT))
    answer, memory = document["results"]
    assert document["machine"]["load"] == [0.5, 0.4, 0.3]
    assert document["machine"]["load_after"] == [3.0, 2.0, 1.0]
    assert memory["failure"] == "the service has ended"
    wait = answer["figures"][1]
    assert (wait["name"], wait["value"], wait["reached"]) == ("wait, p95", 290.0, False)
    assert (wait["spread"]["count"], wait["spread"]["highest"]) == (2, 300.0)
    assert answer["figures"][3]["error"] == 0.5
    assert answer["figures"][5]["value"] is None


def test_this_machine_has_a_processor() -> None:
    machine = this_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert len(machine.load) == 3
