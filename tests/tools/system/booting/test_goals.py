"""How far a boot gets: an invented machine, and a service of this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar, cast

import pytest

from tools.system.booting import goals
from tools.system.booting.boot_error import BootError
from tools.system.booting.console import ConsoleError
from tools.system.booting.goals import Goal, wait_for
from tools.system.booting.machine import VirtualMachine

BLACK = b"P6 2 1 255\n" + bytes(6)
DRAWN = b"P6 2 1 255\n" + b"\x10" * 6


class FakeConsole:
    def wait_for_login(self, seconds: float) -> float:
        return seconds / 2

    def last_lines(self) -> list[str]:
        return ["the last line"]


class FakeMachine:
    """A second passes whenever somebody asks."""

    def __init__(self, screens: list[bytes], ports: dict[int, int] | None = None) -> None:
        self.console = FakeConsole()
        self.ports = ports or {}
        self.trouble = ""
        self._screens = screens
        self._seconds = 0

    def seconds(self) -> float:
        self._seconds += 1
        return self._seconds

    def diagnosis(self) -> str:
        return self.trouble

    def is_running(self) -> bool:
        return not self.trouble

    def screen(self) -> bytes:
        return self._screens.pop(0)


class Health(BaseHTTPRequestHandler):
    replies: ClassVar[list[tuple[int, bytes]]] = []

    def do_GET(self) -> None:
        status, body = self.replies.pop(0)
        self.send_response(status if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
        pass


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goals, "_PAUSE_SECONDS", 0)


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def reach(goal: Goal, machine: FakeMachine, seconds: float = 100) -> float:
    return wait_for(goal, cast(VirtualMachine, machine), seconds)


def test_login() -> None:
    assert reach(Goal.LOGIN, FakeMachine([]), 10) == 5


def test_screen() -> None:
    machine = FakeMachine([BLACK, BLACK, DRAWN])
    assert reach(Goal.SCREEN, machine) == 3
    assert machine._screens == []


def test_screen_that_stays_dark() -> None:
    machine = FakeMachine([BLACK] * 9)
    with pytest.raises(ConsoleError, match=r"not within 4 s \(the screen is dark") as caught:
        reach(Goal.SCREEN, machine, 4)
    assert caught.value.lines == ("the last line",)
    assert len(machine._screens) == 4


def test_machine_that_ends() -> None:
    machine = FakeMachine([BLACK] * 9)
    machine.trouble = "QEMU has ended (killed)"
    with pytest.raises(ConsoleError, match=r"waiting for screen: QEMU has ended \(killed\)"):
        reach(Goal.SCREEN, machine)


def test_healthy(port: int) -> None:
    Health.replies[:] = [(503, b'{"reason": "loading"}'), (502, b"no JSON"), (200, b"{}")]
    assert reach(Goal.HEALTHY, FakeMachine([], {8080: port})) == 3
    assert Health.replies == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [((503, b'{"reason": "no model"}'), "no model"), ((404, b"[]"), "HTTP status 404")],
)
def test_never_healthy(port: int, reply: tuple[int, bytes], why: str) -> None:
    Health.replies[:] = [reply] * 9
    with pytest.raises(ConsoleError, match=f"waiting for healthy: not within 2 s .{why}"):
        reach(Goal.HEALTHY, FakeMachine([], {8080: port}), 2)


def test_nobody_answers() -> None:
    with pytest.raises(ConsoleError, match="refused"):
        reach(Goal.HEALTHY, FakeMachine([], {8080: 1}), 2)


def test_health_without_network() -> None:
    with pytest.raises(BootError, match="leave --no-network out"):
        reach(Goal.HEALTHY, FakeMachine([]))
