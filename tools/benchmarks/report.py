"""Results as Markdown that also reads well on a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tools.benchmarks.machine import Machine
from tools.benchmarks.result import Figure, Result, Table

_HEADER: Final = ("figure", "value", "target", "reached")
_NO_VALUE: Final = "-"
_SPREAD_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of a benchmark found."""

    title: str
    command: str
    """That repeats it."""
    subject: str
    """What was measured: the model, and how it was run."""
    before: Machine
    after: Machine
    is_quick: bool
    results: Sequence[Result]


def to_markdown(report: Report) -> str:
    """The report; ends with a newline."""
    lines = [f"# {report.title}", "", f"    {report.command}", "", *_circumstances(report)]
    for result in report.results:
        lines += ["", f"## {result.name}", "", result.what]
        if result.failure is not None:
            lines += ["", f"**Failed**: {result.failure}"]
        for table in result.tables:
            lines += ["", f"**{table.title}**", "", *_matrix(table)]
        if result.figures:
            lines += ["", *_table(result.figures)]
        if result.notes:
            lines += ["", *(f"- {note}" for note in result.notes)]
    return "\n".join(lines) + "\n"


def to_json(report: Report) -> str:
    """The same as one JSON document; values are not rounded, and null where nothing was measured."""
    document = {
        "title": report.title,
        "command": report.command,
        "subject": report.subject,
        "quick": report.is_quick,
        "machine": {
            **asdict(report.before),
            "busy": report.before.is_busy,
            "load_after": report.after.load,
        },
        "results": [_result(result) for result in report.results],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _circumstances(report: Report) -> Iterator[str]:
    before, after = report.before, report.after
    yield f"{report.subject}."
    yield ""
    yield (
        f"{before.cpu}, {before.cores} cores, {before.system}. Load average {_loads(before)} before, "
        f"{_loads(after)} after."
    )
    if before.is_busy:
        yield ""
        yield "**The machine was busy with something else when this began: times are too long.**"
    if report.is_quick:
        yield ""
        yield "**A quick run: it shows that everything can be measured, and no figure is to be trusted.**"


def _loads(machine: Machine) -> str:
    return " ".join(f"{load:.2f}" for load in machine.load)


def _table(figures: Sequence[Figure]) -> list[str]:
    return _aligned(
        _HEADER, [(one.name, _value(one), one.target, _verdict(one)) for one in figures]
    )


def _matrix(table: Table) -> list[str]:
    return _aligned(
        table.header,
        [
            (name, *(_NO_VALUE if value is None else _number(value) for value in values))
            for name, values in table.rows
        ],
    )


def _aligned(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rows = [header, *body]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = (":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:]))
    return [_line(row, widths) for row in (header, rule, *body)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *others = row
    cells = [name.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return f"| {' | '.join(cells)} |"


def _value(figure: Figure) -> str:
    if figure.value is None:
        return _NO_VALUE
    error = "" if figure.error is None else f" ± {_number(figure.error)}"
    return f"{_number(figure.value)}{error} {figure.unit}".rstrip()


def _number(value: float) -> str:
    """Three digits that mean something, and no exponents."""
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    for limit, digits in ((100, 0), (10, 1), (1, 2), (0.1, 3), (0.01, 4)):
        if abs(value) >= limit:
            return f"{value:.{digits}f}"
    return f"{value:.5f}"


def _verdict(figure: Figure) -> str:
    return {None: "", True: "yes", False: "no"}[figure.reached]


def _result(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "what": result.what,
        "figures": [_figure(figure) for figure in result.figures],
        "tables": [asdict(table) for table in result.tables],
        "notes": list(result.notes),
        "failure": result.failure,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    fields = asdict(figure)
    if figure.spread is not None:
        fields["spread"] = {
            name: round(value, _SPREAD_DIGITS) for name, value in fields["spread"].items()
        }
    return fields
