"""Rounds in which every engine has its turn, so that whatever else the machine does hits all of them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rtap.errors import ModelError
from tools.benchmarks.asr.process import Reading, Worker
from tools.benchmarks.asr.recordings import Command
from tools.model.evaluation.transcripts import Heard


@dataclass(slots=True)
class Readings:
    """All that was measured of one engine."""

    version: str = ""
    load_seconds: float = 0.0
    """Wall time from an imported module to a model that is ready."""
    runs: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    """By clip."""
    failure: str = ""
    """Why nothing was, or not all."""

    @property
    def peak(self) -> int | None:
        """Most memory of its process, in bytes."""
        return max((one.peak for runs in self.runs.values() for one in runs), default=None)

    def heard(self, command: Command) -> Heard | None:
        """What came out in the first round, and the median of what it took; None: not measured."""
        runs = self.runs.get(command.utterance.clip)
        if not runs:
            return None
        return Heard(
            utterance=command.utterance,
            text=" ".join(runs[0].text.split()),
            seconds=command.seconds,
            inference_time=statistics.median(one.wall for one in runs),
            processor_time=statistics.median(one.cpu for one in runs),
            contexts=runs[0].contexts,
        )


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Another one first every time."""
    by %= max(1, len(names))
    return [*names[by:], *names[:by]]


def run_rounds(
    workers: Mapping[str, Worker],
    readings: Mapping[str, Readings],
    commands: Sequence[Command],
    rounds: int,
    on_round: Callable[[int], None],
) -> None:
    """Every engine transcribes every command in every round, after one command that does not count.

    An engine that fails has no more turns, and its readings say why.
    """
    working = dict(workers)

    def turn(name: str, command: Command) -> Reading | None:
        try:
            return working[name].transcribe(command.samples, command.utterance.language)
        except ModelError as error:
            readings[name].failure = str(error)
            del working[name]
            return None

    for name in list(working):
        turn(name, commands[0])
    for number in range(1, rounds + 1):
        on_round(number)
        for index, command in enumerate(commands):
            for name in rotated(list(working), number + index):
                reading = turn(name, command)
                if reading is not None:
                    readings[name].runs[command.utterance.clip].append(reading)
