"""Prepares weights, audio and processes, and has every engine measured."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from rtap.errors import ModelError, RTAPException
from tools.benchmarks.asr.adapters import ENGINES, EngineKind
from tools.benchmarks.asr.environment import peers_python
from tools.benchmarks.asr.process import Worker
from tools.benchmarks.asr.rounds import Case, Readings, Start, run_rounds
from tools.benchmarks.asr.weights import prepared, size_on_disk
from tools.benchmarks.speech import phrases, recording

PLACE: Final = Path(__file__).resolve().parents[3] / ".cache/benchmark-asr"
SHORT, LONG = Case.of(3), Case.of(30)
"""What memory and starts are measured with."""
STARTS: Final = 3
_SEED: Final = 9
_CHECK: Final = """\
import importlib.util, sys
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""


@dataclass(frozen=True, slots=True)
class AsrPlan:
    """What is to be measured."""

    engines: Sequence[str]
    size: str = "base"
    seconds: Sequence[float] = (1, 3, 5, 10, 30)
    threads: Sequence[int] = (1, 2)
    rounds: int = 15
    starts: int = STARTS
    install: bool = False
    """Whether packages of peers that are missing may be installed."""
    place: Path = PLACE


@dataclass(slots=True)
class Measured:
    """Everything that one run found."""

    readings: dict[int, dict[str, Readings]] = field(default_factory=dict)
    """By threads and engine."""
    disk: dict[str, int] = field(default_factory=dict)
    """Bytes of weights and graphs."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Engines that were not measured, and why."""


def measure(plan: AsrPlan, on_step: Callable[[str], None]) -> Measured:
    """Measure all engines that there are.

    Args:
        on_step: told what begins.

    Raises:
        ModelError: our own engine cannot be measured.
    """
    found = Measured()
    python = _python(plan)
    weights = _weights(plan, python, found, on_step)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        samples = _samples({*map(Case.of, plan.seconds), SHORT, LONG}, Path(folder))
        for threads in plan.threads:
            readings = {name: Readings() for name in weights}
            found.readings[threads] = readings
            bench = _Bench(python, weights, threads, readings, samples)
            on_step(f"{threads} threads: starts")
            bench.starts(plan.starts)
            bench.rounds(plan, on_step)
    return found


def _python(plan: AsrPlan) -> Path:
    if plan.install:
        return peers_python(plan.place)
    there = plan.place / "venv/bin/python"
    return there if there.exists() else Path(sys.executable)


def _weights(
    plan: AsrPlan, python: Path, found: Measured, on_step: Callable[[str], None]
) -> dict[str, Path]:
    weights: dict[str, Path] = {}
    for name in plan.engines:
        kind = ENGINES[name]
        missing = _missing(python, kind)
        if missing:
            found.left_out[name] = f"{missing} is not installed: give --install"
            continue
        on_step(f"weights for {name}")
        try:
            weights[name] = prepared(kind.weights, plan.size, plan.place, python)
        except RTAPException as error:
            found.left_out[name] = str(error)
            continue
        found.disk[name] = size_on_disk(weights[name])
    return weights


def _missing(python: Path, kind: EngineKind) -> str:
    command = [str(python), "-c", _CHECK, *kind.requires]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _samples(cases: set[Case], folder: Path) -> dict[Case, Path]:
    """Commands one after the other, in files of exactly the right length."""
    spoken = phrases()
    files = {}
    for case in sorted(cases):
        files[case] = folder / f"{case.seconds:g}.npy"
        speech = recording(spoken, case.seconds, _SEED).samples
        if not speech.any():  # no command is as short as that
            speech = spoken[0].samples[: speech.size]
        np.save(files[case], speech)
    return files


@dataclass(frozen=True, slots=True)
class _Bench:
    python: Path
    weights: Mapping[str, Path]
    threads: int
    readings: Mapping[str, Readings]
    samples: Mapping[Case, Path]

    def worker(self, name: str) -> Worker:
        kind = ENGINES[name]
        place = self.weights[name]
        return Worker(self.python, kind.module, place, self.threads, kind.environment)

    def starts(self, count: int) -> None:
        """Processes that begin from nothing, one at a time, every engine in turn."""
        for _ in range(count):
            for name, readings in self.readings.items():
                try:
                    readings.starts.append(self._start(name))
                except ModelError as error:
                    readings.failure = str(error)

    def _start(self, name: str) -> Start:
        with self.worker(name) as worker:
            short = worker.transcribe(self.samples[SHORT], SHORT.tokens)
            seconds = time.perf_counter() - worker.started_at
            long = worker.transcribe(self.samples[LONG], LONG.tokens)
            self.readings[name].version = worker.version
            return Start(seconds, worker.load_seconds, short.peak, long.peak)

    def rounds(self, plan: AsrPlan, on_step: Callable[[str], None]) -> None:
        """All engines at once in memory, and one at a time at work."""

        def on_round(number: int) -> None:
            on_step(f"{self.threads} threads: round {number} of {plan.rounds}")

        cases = [Case.of(seconds) for seconds in plan.seconds]
        files = {case: self.samples[case] for case in cases}
        files[SHORT.longer] = self.samples[SHORT]
        files.setdefault(SHORT, self.samples[SHORT])
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(self.worker(name))
                for name, readings in self.readings.items()
                if not readings.failure
            }
            run_rounds(workers, self.readings, files, plan.rounds, on_round)
