"""Ends the process when it hangs, so that its supervisor starts it anew.

Three things can hang: the worker, in a model or in native code; the event loop, on which every port
depends; and the whole interpreter, in native code that keeps it to itself. The first two are seen by a thread
that looks at them every few seconds. The third keeps that thread from looking, so whenever it looks, it winds
up a timer of faulthandler's, which needs no interpreter.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtap import logs

if TYPE_CHECKING:
    from rtap.process.service_manager import ServiceManager
    from rtap.stages.stt_jobs import Work

TICK_SECONDS: Final = 5.0
_FEEDS: Final = 3
"""So often systemd hears of us in the time after which it would end us."""
_LAST_WORDS_SECONDS: Final = 5.0
"""For writing why: whoever reads the log may be what hangs."""
_LATER_SECONDS: Final = 30.0
"""The timer is for what the thread cannot see; whatever it can, it tells in better words."""
_FRAMES: Final = 8
_STANDARD_ERROR: Final = 2

_log = logs.get("watchdog")


@dataclass(frozen=True, slots=True)
class Hang:
    """What makes no progress."""

    what: str
    seconds: float
    at: str
    """Where its thread is, innermost call first."""


def end_process(hang: Hang) -> None:
    """Write why in one line, and end with status 1, whatever the other threads hold."""
    writer = threading.Thread(target=_write, args=(hang,), name="last words", daemon=True)
    writer.start()
    writer.join(_LAST_WORDS_SECONDS)
    os._exit(1)


def _write(hang: Hang) -> None:
    _log.critical(
        f"no progress for {hang.seconds:.0f} s in {hang.what}: ending with status 1, for the supervisor to "
        f"start the service anew (stt.hang_seconds)",
        at=hang.at,
    )


def wind_up(seconds: float) -> None:
    """End the process with status 1 and the stacks of all threads, unless wound up again in time."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STANDARD_ERROR)


class Watchdog:
    """Looks at one event loop and one worker.

    Args:
        work: what the worker does at the moment; None while it waits.
        worker: identifier of its thread, for the stack.
        hang_seconds: without progress for so long, and for as long as the work may take, something hangs.
            0: nothing ever does, only systemd is told that all is well.
        manager: hears that all is well, unless something is not.
        end: ends the process.
        wind: starts a timer that ends it.
        clock: seconds.
    """

    def __init__(
        self,
        work: Callable[[], Work | None],
        worker: Callable[[], int | None],
        *,
        hang_seconds: float,
        manager: ServiceManager,
        end: Callable[[Hang], None] = end_process,
        wind: Callable[[float], None] = wind_up,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._worker = worker
        self._hang_seconds = hang_seconds or math.inf
        self._manager = manager
        self._end = end
        self._wind = wind
        self._clock = clock
        often = manager.watchdog_seconds
        self._tick = TICK_SECONDS if often is None else min(TICK_SECONDS, often / _FEEDS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: int | None = None
        self._beat = threading.Event()
        self._looked_at = 0.0
        self._seen: Work | None = None
        self._worked = 0.0
        self._silent = 0.0

    def start(self) -> None:
        """Begin to look; call it in the event loop."""
        self.attach(asyncio.get_running_loop())
        self._thread.start()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at a loop that runs in this thread."""
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._looked_at = self._clock()
        self._beat.set()

    def stop(self) -> None:
        """Look no more. What hangs from now on is the supervisor's: it waits only so long for an end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    def look(self) -> None:
        """Add up how long nothing has moved, less the time in which this process was stopped or asleep."""
        now = self._clock()
        passed = min(now - self._looked_at, 2 * self._tick)
        self._looked_at = now
        self._look_at_worker(passed)
        self._look_at_loop(passed)

    def _run(self) -> None:
        while not self._stopped.wait(self._tick):
            self.look()

    def _look_at_worker(self, passed: float) -> None:
        work = self._work()
        self._worked = self._worked + passed if work is self._seen else 0.0
        self._seen = work
        limit = max(self._hang_seconds, 0.0 if work is None else work.patience)
        if work is not None and self._worked > limit:
            self._end(Hang(work.what, self._worked, _place_of(self._worker())))
        if math.isfinite(limit):
            self._wind(limit + _LATER_SECONDS)

    def _look_at_loop(self, passed: float) -> None:
        assert self._loop is not None
        if self._loop.is_closed():  # the process is at its end
            return
        if self._beat.is_set():
            self._silent = 0.0
            self._manager.say("WATCHDOG=1")
            self._ask(self._loop)
            return
        self._silent += passed
        if self._silent > self._hang_seconds:
            self._end(Hang("the event loop", self._silent, _place_of(self._loop_thread)))

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat.clear()
        with contextlib.suppress(RuntimeError):  # closed by now
            loop.call_soon_threadsafe(self._beat.set)


def _place_of(thread: int | None) -> str:
    """Where a thread is: file, line and function of the innermost calls."""
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 (its documented name)
    if frame is None:
        return "its thread has ended"
    calls = traceback.extract_stack(frame)[-_FRAMES:][::-1]
    return " < ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in calls)
