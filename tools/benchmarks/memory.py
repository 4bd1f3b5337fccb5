"""Whether the service needs more and more memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

from rtap.errors import PipelineError, RTAPException
from tools.benchmarks.answer_time import described
from tools.benchmarks.figures import Slope, settled, slope
from tools.benchmarks.load import Spoken, speak, together
from tools.benchmarks.plan import Plan
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service_process import ServiceProcess, healthy_service
from tools.benchmarks.speech import Phrase, mixed, phrases, recording, synthesised, wav

NAME: Final = "memory"
WHAT: Final = """\
Resident memory of the service's process while four clients speak, one after the other on each of four
connections, and a file of a minute goes through `/transcribe` again and again. Utterances are of many
lengths. The slope is that of a line through the samples by least squares, after the first tenth of the time.
Its standard error takes the samples for independent, which memory is not: it is rather too small."""

MOST_MB_PER_10_MINUTES: Final = 1.0
STREAMS: Final = 4
_MINUTES, _QUICK_MINUTES = 30.0, 1.0
_SAMPLE_SECONDS: Final = 1.0
_FILE_SECONDS: Final = 60.0
_COMMANDS: Final = 5
"""Of one connection."""
_RETRY_SECONDS: Final = 1.0
_MB: Final = 1e6
_HOUR: Final = 3600.0


@dataclass(slots=True)
class Samples:
    """What was seen over time."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Load:
    spoken: list[Spoken] = field(default_factory=list)
    files: int = 0
    refused: list[str] = field(default_factory=list)


def measure(plan: Plan) -> Result:
    """Watch for as long as the plan says."""
    minutes = plan.minutes or (_QUICK_MINUTES if plan.is_quick else _MINUTES)
    spoken = phrases()
    more = synthesised()
    said = mixed(spoken + more, 40, seed=2)
    file = recording(spoken + more, _FILE_SECONDS, seed=3).wav()
    with healthy_service(plan.settings, [wav(one.samples) for one in spoken]) as running:
        load, seen = asyncio.run(_watch(running, said, file, 60 * minutes))
    heard = together(load.spoken)
    refused = f"; {len(load.refused)} were refused: {load.refused[0]}" if load.refused else ""
    notes = (
        f"{minutes:g} minutes, {len(seen.seconds)} samples, {load.files} files transcribed{refused}.",
        f"The clients: {described(heard)}",
    )
    return Result(NAME, WHAT, figures(seen), notes)


def figures(seen: Samples) -> list[Figure]:
    """What the samples say."""
    begin = settled(seen.seconds)
    hours = [seconds / _HOUR for seconds in seen.seconds[begin:]]
    found = slope(hours, seen.megabytes[begin:])
    highest = max(seen.megabytes, default=None)
    per_hour = 6 * MOST_MB_PER_10_MINUTES
    return [
        Figure(
            "slope",
            None if found is None else found.per_unit,
            "MB/h",
            f"< {per_hour:g} MB/h, or not to be told from 0",
            found is not None and _is_flat(found),
            error=None if found is None else found.standard_error,
        ),
        Figure("memory when it began", next(iter(seen.megabytes), None), "MB"),
        Figure("highest", highest, "MB"),
        Figure("memory at the end", next(reversed(seen.megabytes), None), "MB"),
    ]


def _is_flat(found: Slope) -> bool:
    return not found.is_distinguishable or found.per_unit < 6 * MOST_MB_PER_10_MINUTES


async def _watch(
    running: ServiceProcess, said: Sequence[Phrase], file: bytes, seconds: float
) -> tuple[_Load, Samples]:
    stop = asyncio.Event()
    load = _Load()
    users = [asyncio.create_task(_talk(running, said, load, i, stop)) for i in range(STREAMS)]
    users.append(asyncio.create_task(_send_files(running, file, load, stop)))
    try:
        seen = await _sample(running, seconds)
    finally:
        stop.set()
        await asyncio.gather(*users, return_exceptions=True)
    return load, seen


async def _sample(running: ServiceProcess, seconds: float) -> Samples:
    process = psutil.Process(running.pid)
    seen = Samples()
    begin = time.perf_counter()
    while (now := time.perf_counter() - begin) < seconds:
        if running.has_ended:
            raise PipelineError(f"the service ended after {now:.0f} s: {' '.join(running.log.bad)}")
        seen.seconds.append(now)
        seen.megabytes.append(process.memory_info().rss / _MB)
        await asyncio.sleep(_SAMPLE_SECONDS)
    return seen


async def _talk(
    running: ServiceProcess, said: Sequence[Phrase], load: _Load, number: int, stop: asyncio.Event
) -> None:
    """Connect, say a few commands, and connect again."""
    turn = number * len(said) // STREAMS
    while not stop.is_set():
        commands = [said[(turn + i) % len(said)] for i in range(_COMMANDS)]
        heard = await speak(running.stream_url, commands, turn, stop)
        load.spoken.append(heard)
        turn += _COMMANDS
        if not heard.answers:
            await asyncio.sleep(_RETRY_SECONDS)


async def _send_files(
    running: ServiceProcess, file: bytes, load: _Load, stop: asyncio.Event
) -> None:
    while not stop.is_set():
        try:
            await asyncio.to_thread(running.transcribe, file, 600.0)
            load.files += 1
        except RTAPException as error:
            load.refused.append(str(error))
            await asyncio.sleep(_RETRY_SECONDS)
