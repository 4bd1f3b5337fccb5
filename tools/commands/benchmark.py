"""Measure on this machine how fast, how steady and how robust the service is, or the engine beside its peers.

Every figure is printed with its target, where there is one, and whether it was reached. Either takes
the better part of an hour; leave the machine alone meanwhile.
Exit status 0 whatever the figures are, 1 when something could not be measured.
"""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from rtap.cli.guard import OneLineParser
from tools.benchmarks import output
from tools.benchmarks.asr import command as asr
from tools.benchmarks.machine import this_machine
from tools.benchmarks.report import Report
from tools.benchmarks.service.measures import MEASURES, Measure, measure_all
from tools.benchmarks.service.model import described
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceSettings
from tools.console.command_line import positive_number, report_step, run

_report_step = partial(report_step, "benchmark")


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/benchmark", description=__doc__)
    subjects = parser.add_subparsers(
        dest="subject", required=True, metavar="SUBJECT", parser_class=OneLineParser
    )
    service = subjects.add_parser(
        "service",
        help="latency, overhead, memory, start and robustness of `rtap serve`, and the screen beside it",
        description="Measures `rtap serve` as a process of its own on free ports, without a microphone.",
    )
    asr.add_parser(subjects)
    service.add_argument(
        "--only",
        action="append",
        default=[],
        choices=tuple(MEASURES),
        metavar="NAME",
        help=f"measure this alone; may be given several times: {', '.join(MEASURES)}",
    )
    service.add_argument(
        "--quick",
        action="store_true",
        help="a few of everything: whether it can be measured, not how good it is",
    )
    service.add_argument(
        "--minutes",
        type=_minutes,
        metavar="N",
        help="how long the soak lasts; default: 10, with --quick 1",
    )
    service.add_argument("--model", metavar="DIR|NAME", help="default: the bundled one")
    service.add_argument(
        "--threads", type=positive_number, metavar="N", help="for one inference; default: 2"
    )
    output.add_options(service)
    return parser


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not (minutes > 0 and math.isfinite(minutes)):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: give minutes, such as 30")
    return minutes


def _settings(arguments: argparse.Namespace) -> ServiceSettings:
    model: str | None = arguments.model
    if model is not None and Path(model).is_dir():
        model = str(Path(model).resolve())  # the service looks from elsewhere
    return ServiceSettings(model, arguments.threads)


def main(argv: Sequence[str], measures: Mapping[str, Measure] = MEASURES) -> int:
    """Command line: status 1 when something could not be measured."""
    arguments = _parser().parse_args(argv)
    command = shlex.join(["tools/benchmark", *argv])
    if arguments.subject == "asr":
        return asr.run(arguments, command)
    output.check_file(arguments.markdown, "--markdown")
    plan = Plan(arguments.quick, arguments.minutes, _settings(arguments))
    # Before anything runs: a mistyped model is told at once.
    subject = described(plan.settings)
    before = this_machine()
    results = measure_all(arguments.only, plan, _report_step, measures)
    report = Report(
        title="Benchmark of the service",
        command=command,
        subject=subject,
        before=before,
        after=this_machine(),
        is_quick=arguments.quick,
        results=results,
    )
    output.write(report, arguments)
    return 1 if any(result.failure is not None for result in results) else 0


if __name__ == "__main__":
    run(main)
