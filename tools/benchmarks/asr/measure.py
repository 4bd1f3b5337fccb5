"""Prepares weights, recordings and processes, and has every engine measured."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rtap.errors import ModelError, RTAPException
from tools.benchmarks.asr.adapters import ENGINES, EngineKind
from tools.benchmarks.asr.environment import installed_python, peers_python
from tools.benchmarks.asr.process import Worker
from tools.benchmarks.asr.recordings import Command, unpacked
from tools.benchmarks.asr.rounds import Readings, run_rounds
from tools.benchmarks.asr.weights import Source, prepared, size_on_disk
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.evaluation.data import Utterance
from tools.root import CACHE

PLACE: Final = CACHE / "benchmark-asr"
_CHECK: Final = """\
import importlib.util, sys
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""


@dataclass(frozen=True, slots=True)
class AsrPlan:
    """What is to be measured."""

    engines: Sequence[str]
    checkpoint: Checkpoint
    adapted: Checkpoint | None
    """The same, taught to hear audio in its own length; None: there is none."""
    utterances: Sequence[Utterance]
    threads: int = 1
    rounds: int = 1
    install: bool = False
    """Whether packages of peers that are missing may be installed."""
    place: Path = PLACE


@dataclass(slots=True)
class Measured:
    """Everything that one run found."""

    commands: Sequence[Command] = ()
    readings: dict[str, Readings] = field(default_factory=dict)
    """By engine."""
    disk: dict[str, int] = field(default_factory=dict)
    """Bytes of weights and graphs."""
    left_out: list[str] = field(default_factory=list)
    """Engines and recordings that were not measured, and why."""


def measure(plan: AsrPlan, on_step: Callable[[str], None]) -> Measured:
    """Measure all engines that there are.

    Args:
        on_step: told what begins.

    Raises:
        AudioError: a recording cannot be decoded.
        ConfigurationError: the peers cannot be installed.
    """
    found = Measured()
    python = peers_python(plan.place) if plan.install else installed_python(plan.place)
    weights = _weights(plan, python, found, on_step)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        found.commands, too_long = unpacked(plan.utterances, Path(folder))
        found.left_out += too_long
        workers = {}
        for name, place in weights.items():
            on_step(f"{name} loads")
            readings = found.readings[name] = Readings()
            kind = ENGINES[name]
            try:
                worker = Worker(python, kind.module, place, plan.threads, kind.environment)
            except ModelError as error:
                readings.failure = str(error)
                continue
            readings.version, readings.load_seconds = worker.version, worker.load_seconds
            workers[name] = stack.enter_context(worker)
        _rounds(plan, workers, found, on_step)
    return found


def _rounds(
    plan: AsrPlan,
    workers: Mapping[str, Worker],
    found: Measured,
    on_step: Callable[[str], None],
) -> None:
    """All engines at once in memory, and one at a time at work."""

    def on_round(number: int) -> None:
        on_step(f"round {number} of {plan.rounds}, {len(found.commands)} recordings")

    if found.commands:
        run_rounds(workers, found.readings, found.commands, plan.rounds, on_round)


def _weights(
    plan: AsrPlan, python: Path, found: Measured, on_step: Callable[[str], None]
) -> dict[str, Path]:
    stock = Source.of(plan.checkpoint, plan.place)
    adapted = stock if plan.adapted is None else Source.of(plan.adapted, plan.place)
    weights: dict[str, Path] = {}
    for name in plan.engines:
        kind = ENGINES[name]
        missing = _missing(python, kind)
        if missing:
            found.left_out.append(f"{name}: {missing} is not installed: give --install")
            continue
        on_step(f"weights for {name}")
        try:
            weights[name] = prepared(kind.weights, stock if kind.padded else adapted, python)
        except RTAPException as error:
            found.left_out.append(f"{name}: {error}")
            continue
        found.disk[name] = size_on_disk(weights[name])
    return weights


def _missing(python: Path, kind: EngineKind) -> str:
    command = [str(python), "-c", _CHECK, *kind.requires]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
