"""Whether the service needs more and more memory, descriptors or threads, the longer it is used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from rtap.errors import PipelineError, RTAPException
from tools.benchmarks.figures import Slope, settled, slope
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.answer_time import described
from tools.benchmarks.service.attacks import attempt
from tools.benchmarks.service.load import Spoken, speak, together
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceProcess, healthy_service
from tools.benchmarks.service.speech import Phrase, mixed, phrases, recording, synthesised, wav

NAME: Final = "soak"
WHAT: Final = """\
Resident memory, open descriptors and threads of the service's process while four clients speak, one after the
other on each of four connections, and a file of a minute goes through `/transcribe` again and again. Beside
them clients come and go: once a second one subscribes to the events, reads one message and leaves, and one of
`/stream` is rude (resets its connection in mid-speech, leaves at once, sends half a frame, or never reads).
Utterances are of many lengths. A slope is that of a line through the samples by least squares, after the
first tenth of the time. Its standard error takes the samples for independent, which they are not: it is
rather too small. *Left behind* is what there is more than before the load, once all clients have gone."""

MOST_MB_PER_HOUR: Final = 6.0
MOST_COUNT_PER_HOUR: Final = 6.0
"""Of descriptors or threads: one in ten minutes."""
STREAMS: Final = 4
_MINUTES, _QUICK_MINUTES = 10.0, 1.0
_SAMPLE_SECONDS: Final = 1.0
_SETTLING_SECONDS: Final = 60.0
"""For connections that are gone to be closed: a client that vanished is missed after a minute."""
_FILE_SECONDS: Final = 60.0
_COMMANDS: Final = 5
"""Of one connection."""
_RETRY_SECONDS: Final = 1.0
_RUDE: Final = ("abrupt_close", "early_close", "half_frame", "slow_reader")
_MB: Final = 1e6
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The service's process at one moment."""

    seconds: float
    megabytes: float
    descriptors: int
    threads: int


@dataclass(slots=True)
class Watched:
    """What was seen over time."""

    before: Sample
    samples: list[Sample] = field(default_factory=list)
    """Under load."""
    after: Sample | None = None
    """Once all clients have gone."""


@dataclass(slots=True)
class _Load:
    spoken: list[Spoken] = field(default_factory=list)
    files: int = 0
    refused: list[str] = field(default_factory=list)
    visitors: int = 0
    surprises: list[str] = field(default_factory=list)


def measure(plan: Plan) -> Result:
    """Watch for as long as the plan says."""
    minutes = plan.minutes or (_QUICK_MINUTES if plan.is_quick else _MINUTES)
    spoken = phrases()
    more = synthesised()
    said = mixed(spoken + more, 40, seed=2)
    file = recording(spoken + more, _FILE_SECONDS, seed=3).wav()
    with healthy_service(plan.settings, [wav(one.samples) for one in spoken]) as running:
        load, watched = asyncio.run(_watch(running, said, file, 60 * minutes))
    heard = together(load.spoken)
    seen, refused = len(watched.samples), _told(load.refused, "were refused")
    notes = [
        f"{minutes:g} minutes, {seen} samples, {load.files} files transcribed{refused}.",
        f"{load.visitors} clients came and went{_told(load.surprises, 'surprised')}.",
        f"The clients: {described(heard)}",
    ]
    return Result(NAME, WHAT, figures(watched), notes)


def _told(what: Sequence[str], became: str) -> str:
    return f"; {len(what)} {became}: {what[0]}" if what else ""


def figures(watched: Watched) -> list[Figure]:
    """What the samples say."""
    samples = watched.samples
    begin = settled([one.seconds for one in samples])
    hours = [one.seconds / _HOUR for one in samples[begin:]]
    megabytes = [one.megabytes for one in samples]
    after = watched.after
    return [
        _slope("memory", hours, megabytes[begin:], "MB/h", MOST_MB_PER_HOUR),
        Figure("memory before the load", watched.before.megabytes, "MB"),
        Figure("highest memory", max(megabytes, default=None), "MB"),
        Figure("memory once all have gone", None if after is None else after.megabytes, "MB"),
        _slope(
            "descriptors",
            hours,
            [float(one.descriptors) for one in samples[begin:]],
            "1/h",
            MOST_COUNT_PER_HOUR,
        ),
        _left_behind(watched),
        _slope(
            "threads",
            hours,
            [float(one.threads) for one in samples[begin:]],
            "1/h",
            MOST_COUNT_PER_HOUR,
        ),
        Figure("most threads", max((float(one.threads) for one in samples), default=None), ""),
    ]


def _slope(
    what: str, hours: Sequence[float], values: Sequence[float], unit: str, most: float
) -> Figure:
    found = slope(hours, values)
    return Figure(
        f"slope of {what}",
        None if found is None else found.per_unit,
        unit,
        f"< {most:g} {unit}, or not to be told from 0",
        found is not None and _is_flat(found, most),
        error=None if found is None else found.standard_error,
    )


def _is_flat(found: Slope, most: float) -> bool:
    return not found.is_distinguishable or found.per_unit < most


def _left_behind(watched: Watched) -> Figure:
    name, target = "descriptors left behind", "<= 0"
    if watched.after is None:
        return Figure(name, None, "", target, reached=False)
    left = watched.after.descriptors - watched.before.descriptors
    return Figure(name, float(left), "", target, left <= 0)


async def _watch(
    running: ServiceProcess, said: Sequence[Phrase], file: bytes, seconds: float
) -> tuple[_Load, Watched]:
    stop = asyncio.Event()
    load = _Load()
    process = psutil.Process(running.pid)
    watched = Watched(_sample(process, 0.0))
    users = [asyncio.create_task(_talk(running, said, load, i, stop)) for i in range(STREAMS)]
    users.append(asyncio.create_task(_send_files(running, file, load, stop)))
    users.append(asyncio.create_task(_come_and_go(running, load, stop)))
    try:
        await _sample_for(running, process, seconds, watched.samples)
    finally:
        stop.set()
        await asyncio.gather(*users, return_exceptions=True)
    watched.after = await _settle(process, watched.before)
    return load, watched


def _sample(process: psutil.Process, seconds: float) -> Sample:
    with process.oneshot():
        megabytes = process.memory_info().rss / _MB
        return Sample(seconds, megabytes, process.num_fds(), process.num_threads())


async def _sample_for(
    running: ServiceProcess, process: psutil.Process, seconds: float, samples: list[Sample]
) -> None:
    begin = time.perf_counter()
    while (now := time.perf_counter() - begin) < seconds:
        if running.has_ended:
            raise PipelineError(f"the service ended after {now:.0f} s: {' '.join(running.log.bad)}")
        samples.append(_sample(process, now))
        await asyncio.sleep(_SAMPLE_SECONDS)


async def _settle(process: psutil.Process, before: Sample) -> Sample:
    """The process once no descriptor is left behind, or once there was time enough for that."""
    begin = time.perf_counter()
    while True:
        now = time.perf_counter() - begin
        sample = _sample(process, now)
        if sample.descriptors <= before.descriptors or now > _SETTLING_SECONDS:
            return sample
        await asyncio.sleep(_SAMPLE_SECONDS)


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


async def _come_and_go(running: ServiceProcess, load: _Load, stop: asyncio.Event) -> None:
    """Two visitors a second, one after the other, until the end."""
    for number in count():
        if stop.is_set():
            return
        with suppress(OSError, TimeoutError, WebSocketException):
            async with connect(running.events_url, compression=None, proxy=None) as events:
                await events.recv()
        surprise = await attempt(_RUDE[number % len(_RUDE)], running.stream_url, number)
        load.visitors += 2
        if surprise is not None:
            load.surprises.append(surprise)
        await asyncio.sleep(_SAMPLE_SECONDS)
