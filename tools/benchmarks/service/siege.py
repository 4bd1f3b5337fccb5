"""Whether clients that want to exhaust the service can, and what others notice of it meanwhile."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, replace
from typing import Final

import psutil

from tools.benchmarks.result import Figure, Result, Table
from tools.benchmarks.service.exhaustion import ATTACKS, Target
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceProcess, healthy_service
from tools.benchmarks.service.speech import phrases, wav
from tools.process.ports import HOST

NAME: Final = "siege"
WHAT: Final = f"""\
Attacks on memory, descriptors, places and processor, one after the other on the same service:
{", ".join(name.replace("_", " ") for name in ATTACKS)}.
Meanwhile another client asks for `/health` ten times a second, and memory is looked at as often. After all of
them a good client has a file transcribed, and must get the text that it got before."""

MOST_MB: Final = 300.0
SLOWEST_SECONDS: Final = 1.0
API_KEY: Final = "a key for the siege alone"
_QUICK: Final = ("large_body", "foreign_name", "large_zmq_frame")
_PAUSE_SECONDS: Final = 0.1
_HEALTH_TIMEOUT: Final = 30.0
_SETTLING_SECONDS: Final = 5.0
"""After a burst, for memory to be given back."""
_MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class _Siege:
    name: str
    outcome: str
    peak: float
    """MB."""
    after: float
    slowest: float
    """Seconds of the slowest `/health` beside it."""
    failed: int
    """Of `/health`."""


def measure(plan: Plan) -> Result:
    """All attacks, or three of them."""
    names = _QUICK if plan.is_quick else tuple(ATTACKS)
    command = wav(phrases()[0].samples)
    settings = replace(plan.settings, api_key=API_KEY)
    with healthy_service(settings, [command]) as running:
        target = Target(HOST, running.port, running.events_port, running.zmq_events_port, API_KEY)
        before = str(running.transcribe(command)["text"])
        sieges = [_under_siege(running, target, name) for name in names]
        is_well = not running.has_ended and str(running.transcribe(command)["text"]) == before
    peak, after = max(one.peak for one in sieges), max(one.after for one in sieges)
    slowest, failed = max(one.slowest for one in sieges), sum(one.failed for one in sieges)
    return Result(
        NAME,
        WHAT,
        (
            Figure("highest memory", peak, "MB"),
            Figure(
                "highest memory after an attack",
                after,
                "MB",
                f"<= {MOST_MB:g} MB",
                after <= MOST_MB,
            ),
            Figure(
                "slowest /health during one",
                slowest,
                "s",
                f"<= {SLOWEST_SECONDS:g} s",
                slowest <= SLOWEST_SECONDS,
            ),
            Figure("/health that failed", float(failed), "", "0", failed == 0),
            Figure("a file's text is the same afterwards", float(is_well), "", "1", is_well),
        ),
        [f"{one.name.replace('_', ' ')}: {one.outcome}" for one in sieges],
        tables=(
            Table(
                "Attacks",
                ("attack", "peak MB", "MB after", "slowest /health s"),
                [
                    (one.name.replace("_", " "), (one.peak, one.after, one.slowest))
                    for one in sieges
                ],
            ),
        ),
    )


def _under_siege(running: ServiceProcess, target: Target, name: str) -> _Siege:
    watch = _Watch(running)
    try:
        outcome = ATTACKS[name](target)
    except OSError as error:
        outcome = f"{type(error).__name__}: {error}"
    finally:
        watch.stop()
    time.sleep(_SETTLING_SECONDS)
    return _Siege(name, outcome, watch.peak, watch.memory(), watch.slowest, watch.failed)


class _Watch:
    """Another client, and an eye on the process; in a thread of its own until it is stopped."""

    def __init__(self, running: ServiceProcess) -> None:
        self._running = running
        self._process = psutil.Process(running.pid)
        self._stopping = threading.Event()
        self.peak = self.memory()
        self.slowest = 0.0
        self.failed = 0
        self._thread = threading.Thread(target=self._watch, name="watch")
        self._thread.start()

    def memory(self) -> float:
        """Resident megabytes now; 0 where the process is gone."""
        try:
            return float(self._process.memory_info().rss) / _MB
        except psutil.NoSuchProcess:
            return 0.0

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            begin = time.perf_counter()
            try:
                self.failed += self._running.health_status(_HEALTH_TIMEOUT) != http.client.OK
            except (OSError, http.client.HTTPException):
                self.failed += 1
            self.slowest = max(self.slowest, time.perf_counter() - begin)
            self.peak = max(self.peak, self.memory())
