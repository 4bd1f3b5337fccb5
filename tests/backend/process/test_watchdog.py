"""rtap.process.watchdog: what hangs ends, by a clock that the test moves, and what is slow does not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtap.process.service_manager import ServiceManager
from rtap.process.watchdog import TICK_SECONDS, Hang, Watchdog
from rtap.stages.stt_jobs import Work
from tests.deadlines import SOON

HANG_SECONDS = 60.0


class Rig:
    """A watchdog, and all that it looks at."""

    def __init__(self, hang_seconds: float = HANG_SECONDS, manager: ServiceManager | None = None):
        self.now = 1000.0
        self.work: Work | None = None
        self.hangs: list[Hang] = []
        self.wound: list[float] = []
        self.loop = asyncio.new_event_loop()
        self.dog = Watchdog(
            lambda: self.work,
            threading.get_ident,
            hang_seconds=hang_seconds,
            manager=manager or ServiceManager({}),
            end=self.hangs.append,
            wind=self.wound.append,
            clock=lambda: self.now,
        )
        self.dog.attach(self.loop)

    def look(self, seconds: float, *, loop_lives: bool = True) -> None:
        """Let time pass, tick by tick."""
        for _ in range(round(seconds / TICK_SECONDS)):
            self.now += TICK_SECONDS
            self.dog.look()
            if loop_lives:
                self.loop.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.loop.close()


def test_nothing_to_do_is_no_hang(rig: Rig) -> None:
    rig.look(100 * HANG_SECONDS)
    assert rig.hangs == []


def test_a_worker_that_hangs(rig: Rig) -> None:
    rig.work = Work("loading the model")
    rig.look(HANG_SECONDS)
    assert rig.hangs == []
    rig.look(2 * TICK_SECONDS)
    assert (rig.hangs[0].what, rig.hangs[0].seconds) == ("loading the model", 65.0)
    # This thread is the worker's here: the stack shows who called.
    assert "test_watchdog.py" in rig.hangs[0].at
    assert "test_a_worker_that_hangs" in rig.hangs[0].at
    assert "\n" not in rig.hangs[0].at


def test_one_inference_after_the_other_is_progress(rig: Rig) -> None:
    for _ in range(10):
        rig.work = Work("an inference")
        rig.look(HANG_SECONDS)
    assert rig.hangs == []


def test_a_slow_machine_gets_more(rig: Rig) -> None:
    rig.work = Work("an inference", patience=10 * HANG_SECONDS)
    rig.look(10 * HANG_SECONDS)
    assert rig.hangs == []
    rig.look(2 * TICK_SECONDS)
    assert len(rig.hangs) == 1


def test_an_event_loop_that_hangs(rig: Rig) -> None:
    rig.look(HANG_SECONDS, loop_lives=False)
    assert rig.hangs == []
    rig.look(2 * TICK_SECONDS, loop_lives=False)
    assert rig.hangs[0].what == "the event loop"


def test_time_asleep_does_not_count(rig: Rig) -> None:
    """The process was stopped, or the computer suspended."""
    rig.work = Work("an inference")
    rig.look(TICK_SECONDS, loop_lives=False)
    rig.now += 100 * HANG_SECONDS
    rig.dog.look()
    assert rig.hangs == []


def test_a_loop_that_is_closed_is_left_alone(rig: Rig) -> None:
    rig.loop.close()
    rig.look(10 * HANG_SECONDS, loop_lives=False)
    assert rig.hangs == []


def test_the_timer_comes_after_all_else(rig: Rig) -> None:
    rig.work = Work("an inference", patience=2 * HANG_SECONDS)
    rig.look(TICK_SECONDS)
    assert rig.wound == [2 * HANG_SECONDS + 30]


def test_switched_off() -> None:
    rig = Rig(hang_seconds=0)
    rig.work = Work("an inference", patience=1.0)
    rig.look(10 * HANG_SECONDS, loop_lives=False)
    assert (rig.hangs, rig.wound) == ([], [])
    rig.loop.close()


class Systemd:
    """The socket on which systemd would listen."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        states = []
        while True:
            try:
                states.append(self._socket.recv(100).decode())
            except BlockingIOError:
                return states

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_of_progress_only(kind: str, tmp_path: Path) -> None:
    address = str(tmp_path / "notify") if kind == "path" else f"@{tmp_path.name}-{os.getpid()}"
    systemd = Systemd(address)
    rig = Rig(manager=ServiceManager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}))
    rig.look(3 * TICK_SECONDS)
    assert systemd.heard() == 3 * ["WATCHDOG=1"]
    rig.look(3 * TICK_SECONDS, loop_lives=False)
    assert systemd.heard() == ["WATCHDOG=1"]  # for the beat before the loop stopped
    systemd.close()
    rig.look(TICK_SECONDS)  # nobody listens any more
    assert rig.hangs == []
    rig.loop.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, None),
        ({"NOTIFY_SOCKET": "/n"}, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000"}, 30.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "3e7"}, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "0"}, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, None),
    ],
)
def test_what_systemd_expects(environment: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager(environment).watchdog_seconds == seconds


def test_it_is_fed_often_enough(tmp_path: Path) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "3000000"})
    rig = Rig(manager=manager)
    assert rig.dog._tick == 1.0
    rig.loop.close()


HANGS = """
import asyncio, ctypes, sys, threading, time
from rtap import logs
from rtap.config import LoggingConfig
from rtap.process import watchdog
from rtap.process.service_manager import ServiceManager
from rtap.stages.stt_jobs import Work

watchdog.TICK_SECONDS = 0.05
watchdog._LATER_SECONDS = 0.2
logs.set_up(LoggingConfig(), sys.stderr)
never = threading.Event()

def waits_for_nothing():
    never.wait()

worker = threading.Thread(target=waits_for_nothing, daemon=True)
worker.start()

async def main(work):
    dog = watchdog.Watchdog(
        lambda: work, lambda: worker.ident, hang_seconds=0.3, manager=ServiceManager({{}})
    )
    dog.start()
    await asyncio.sleep(0.1)
    {then}

asyncio.run(main({work}))
"""


def hanging(then: str, work: str = "None") -> list[str]:
    """What a process writes that hangs and ends itself."""
    code = HANGS.format(then=then, work=work)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_the_process_ends_with_the_place_of_the_worker() -> None:
    [line] = hanging("await asyncio.sleep(60)", "Work('an inference of 3.0 s of audio')")
    told = json.loads(line)
    assert told["level"] == "CRITICAL"
    assert "in an inference of 3.0 s of audio: ending with status 1" in told["message"]
    assert "waits_for_nothing" in told["at"]


def test_the_process_ends_with_the_place_of_the_loop() -> None:
    [line] = hanging("time.sleep(60)")
    told = json.loads(line)
    assert "the event loop" in told["message"]
    assert " main < " in told["at"]


def test_the_process_ends_where_native_code_keeps_the_interpreter() -> None:
    lines = hanging("ctypes.PyDLL(None).sleep(60)")
    assert lines[0].startswith("Timeout (")
    assert any("in main" in line for line in lines)


def test_the_process_ends_where_nobody_reads_its_log() -> None:
    """Its supervisor's pipe is full: what hangs may be whoever reads why."""
    code = HANGS.format(then="await asyncio.sleep(60)", work="Work('an inference')").replace(
        "logs.set_up", "watchdog._LAST_WORDS_SECONDS = 0.2\nlogs.set_up"
    )
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    with subprocess.Popen([sys.executable, "-c", code], stderr=writer) as process:
        try:
            assert process.wait(SOON) == 1
        finally:
            process.kill()
            os.close(reader)
            os.close(writer)
