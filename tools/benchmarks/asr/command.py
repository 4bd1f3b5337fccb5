"""``tools/benchmark asr``: its options, and the way from them to a report."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from rtap.errors import ConfigurationError, ModelError
from tools.benchmarks import output
from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.adapters import ENGINES
from tools.benchmarks.asr.environment import installed_python
from tools.benchmarks.asr.measure import PLACE, AsrPlan, Measured, measure
from tools.benchmarks.asr.recordings import chosen
from tools.benchmarks.asr.results import OURS, results
from tools.benchmarks.machine import this_machine
from tools.benchmarks.report import Report, to_json
from tools.console.command_line import positive_number, report_step
from tools.model.conversion.adapter import Adapter
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.project_adapters import adapter_for
from tools.model.conversion.sources import open_checkpoint

_report_step = partial(report_step, "benchmark")

_QUICK_LIMIT: Final = 1
_PLOTS: Final = (".png", ".svg")


def add_parser(subjects: Any) -> None:
    """Add ``asr`` to the command line."""
    parser: argparse.ArgumentParser = subjects.add_parser(
        "asr",
        help="our engine and its peers on identical weights and recordings: errors, time, memory",
        description="Measures word errors, processor time and memory of our engine and of every peer that "
        "is installed, on the same weights and recordings of people, in interleaved rounds, and estimates "
        "what a Raspberry Pi 4 could do at best.",
    )
    parser.add_argument(
        "--weights",
        required=True,
        metavar="CHECKPOINT",
        help="directory or name, such as openai/whisper-base",
    )
    parser.add_argument(
        "--adapted",
        metavar="CHECKPOINT|FILE",
        help="the same, taught to hear audio in its own length, or an adapter for it: for the engines that "
        "shorten the context; default: the project's adapter, if it has one for these weights",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        required=True,
        metavar="DIR",
        help="what to hear, as tools/evaluate takes it, such as a folder of folders with a manifest.jsonl",
    )
    parser.add_argument("--sets", nargs="+", default=[], metavar="NAME", help="only these of them")
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="only the first N of each set"
    )
    parser.add_argument(
        "--engine",
        action="append",
        choices=tuple(ENGINES),
        metavar="NAME",
        help=f"measure this one; may be given several times; default: all of {', '.join(ENGINES)}",
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="install the peers from requirements-bench.lock into .cache/benchmark-asr first",
    )
    parser.add_argument(
        "--threads", type=positive_number, default=1, metavar="N", help="default: 1"
    )
    parser.add_argument("--rounds", type=positive_number, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one recording of each set: whether it can be measured, not how good it is",
    )
    output.add_options(parser)
    parser.add_argument(
        "--plot",
        type=_picture,
        metavar="FILE",
        help="save a picture of errors over processor time (SVG or PNG); wants the peers installed",
    )


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _PLOTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no picture: give a name that ends in .svg or .png"
        )
    return path


def run(arguments: argparse.Namespace, command: str) -> int:
    """Measure and report; status 1 when our own engine could not be measured."""
    output.check_file(arguments.markdown, "--markdown")
    output.check_file(arguments.plot, "--plot")
    plan = _plan(arguments)
    before = this_machine()
    measured = measure(plan, _report_step)
    report = Report(
        title="Benchmark of speech recognition",
        command=command,
        subject=_subject(plan),
        before=before,
        after=this_machine(),
        is_quick=arguments.quick,
        results=results(measured, _shape(plan.checkpoint)),
    )
    output.write(report, arguments)
    if arguments.plot is not None:
        _plot(to_json(report), arguments.plot)
    ours = [name for name in plan.engines if name.startswith(OURS)]
    return 0 if all(_is_measured(measured, name) for name in ours) else 1


def _is_measured(measured: Measured, name: str) -> bool:
    readings = measured.readings.get(name)
    return readings is not None and bool(readings.runs) and not readings.failure


def _plan(arguments: argparse.Namespace) -> AsrPlan:
    checkpoint = open_checkpoint(arguments.weights)
    generation = checkpoint.read_json("generation_config.json")
    utterances = chosen(
        arguments.recordings,
        arguments.sets,
        _QUICK_LIMIT if arguments.quick else arguments.limit,
        multilingual=bool(generation.get("is_multilingual", True)),
    )
    return AsrPlan(
        engines=arguments.engine or list(ENGINES),
        checkpoint=checkpoint,
        adapted=_adapted(checkpoint, arguments.adapted),
        utterances=utterances,
        threads=arguments.threads,
        rounds=arguments.rounds,
        install=arguments.install,
    )


def _adapted(checkpoint: Checkpoint, given: str | None) -> Checkpoint | None:
    if given is None:
        adapter = adapter_for(checkpoint)
        return None if adapter is None else checkpoint.adapted(adapter)
    if Path(given).is_file():
        return checkpoint.adapted(Adapter.read(Path(given)))
    adapted = open_checkpoint(given)
    if adapted.config != checkpoint.config:
        raise ConfigurationError(
            f"{given} has other sizes than {checkpoint.source}: give --adapted what was made of it"
        )
    return adapted


def _subject(plan: AsrPlan) -> str:
    sets = {one.group for one in plan.utterances}
    adapted = "not adapted"
    if plan.adapted is not None:
        adapter = plan.adapted.adapter
        adapted = f"adapted by {adapter.name if adapter else plan.adapted.name}"
    threads = "1 thread" if plan.threads == 1 else f"{plan.threads} threads"
    heard = f"{len(plan.utterances)} recordings in {len(sets)} sets"
    return f"{plan.checkpoint.name} ({adapted}), {heard}, {threads}"


def _shape(checkpoint: Checkpoint) -> pi4.Shape:
    config = checkpoint.config
    return pi4.Shape(
        config.d_model,
        config.encoder_layers,
        config.decoder_layers,
        config.num_mel_bins,
        config.vocab_size,
    )


def _plot(report: str, picture: Path) -> None:
    python = installed_python(PLACE)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(report)
        file.flush()
        command = [str(python), "-m", "tools.benchmarks.asr.plot", file.name, str(picture)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            if "No module named 'matplotlib'" in error.stderr:
                raise ConfigurationError("matplotlib is not installed: give --install") from None
            raise ModelError(f"no picture was made: {error.stderr.splitlines()[-1]}") from error
