"""``tools/benchmark asr``: its options, and the way from them to a report."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rtap.audio_format import SAMPLE_RATE
from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.features import MAX_FRAMES
from rtap.whisper.model import FRAMES_PER_SECOND
from rtap.whisper.window_decoder import context_frames
from tools.benchmarks import output
from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.adapters import ENGINES
from tools.benchmarks.asr.measure import PLACE, STARTS, AsrPlan, measure
from tools.benchmarks.asr.results import results
from tools.benchmarks.machine import this_machine
from tools.benchmarks.report import Report, to_json
from tools.command_line import positive_number
from tools.random_checkpoint import SIZES

_VOCABULARY = 51_865
_SECONDS = (1.0, 3.0, 5.0, 10.0, 30.0)
_ROUNDS, _QUICK_ROUNDS = 15, 1


def add_parser(subjects: Any) -> None:
    """Add ``asr`` to the command line."""
    parser: argparse.ArgumentParser = subjects.add_parser(
        "asr",
        help="our engine and its peers on identical weights: time, memory, start",
        description="Measures our engine and every peer that is installed, on identical random weights and "
        "audio, in interleaved rounds, and estimates what a Raspberry Pi 4 could do at best.",
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
    parser.add_argument("--size", choices=tuple(SIZES), default="base", help="default: base")
    parser.add_argument(
        "--threads",
        type=positive_number,
        nargs="+",
        default=[1, 2],
        metavar="N",
        help="default: 1 2",
    )
    parser.add_argument("--rounds", type=positive_number, metavar="N", help=f"default: {_ROUNDS}")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round of short audio: whether it can be measured, not how good it is",
    )
    output.add_options(parser)
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="save a picture (PNG); wants the peers installed"
    )


def run(arguments: argparse.Namespace, command: str) -> int:
    """Measure and report; status 1 when our own engine could not be measured."""
    output.check_file(arguments.markdown, "--markdown")
    output.check_file(arguments.plot, "--plot")
    before = this_machine()
    measured = measure(_plan(arguments), _report_step)
    size = SIZES[arguments.size]
    shape = pi4.Shape(size.width, size.encoder_layers, size.decoder_layers, size.mels, _VOCABULARY)
    found = results(measured, shape, _context)
    report = Report(
        title="Benchmark of speech recognition",
        command=command,
        subject=f"Whisper {arguments.size}, random weights",
        before=before,
        after=this_machine(),
        is_quick=arguments.quick,
        results=found,
    )
    output.write(report, arguments)
    if arguments.plot is not None:
        _plot(to_json(report), arguments.plot)
    ours = [one for readings in measured.readings.values() for one in readings.items()]
    return 1 if any(name.startswith("rtap") and one.failure for name, one in ours) else 0


def _plan(arguments: argparse.Namespace) -> AsrPlan:
    quick: bool = arguments.quick
    return AsrPlan(
        engines=arguments.engine or list(ENGINES),
        size=arguments.size,
        seconds=(1.0, 3.0) if quick else _SECONDS,
        threads=arguments.threads,
        rounds=arguments.rounds or (_QUICK_ROUNDS if quick else _ROUNDS),
        starts=1 if quick else STARTS,
        install=arguments.install,
    )


def _context(seconds: float) -> float:
    """What our engine encodes of stock weights."""
    frames = context_frames(round(SAMPLE_RATE * seconds), "guarded", MAX_FRAMES)
    return frames / FRAMES_PER_SECOND


def _plot(report: str, picture: Path) -> None:
    python = PLACE / "venv/bin/python"
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(report)
        file.flush()
        command = [str(python), "-m", "tools.benchmarks.asr.plot", file.name, str(picture)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise ConfigurationError("matplotlib is not installed: give --install") from None
        except subprocess.CalledProcessError as error:
            raise ModelError(f"no picture was made: {error.stderr.splitlines()[-1]}") from error


def _report_step(what: str) -> None:
    print(f"benchmark: {what} ...", file=sys.stderr, flush=True)
