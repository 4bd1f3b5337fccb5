"""QEMU's control socket, with a partner that says what a test wants."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tools.system.booting.boot_error import BootError
from tools.system.booting.qmp import QemuControl


class Ends(NamedTuple):
    control: QemuControl
    far: socket.socket

    def answer(self, *messages: object) -> None:
        for message in messages:
            self.far.sendall(json.dumps(message).encode() + b"\r\n")


@pytest.fixture
def ends() -> Iterator[Ends]:
    near, far = socket.socketpair()
    with near, far:
        made = Ends(QemuControl(near), far)
        yield made
        made.control.close()


def test_greeting_and_command(ends: Ends) -> None:
    ends.answer({"QMP": {"version": {}}}, {"return": {}}, {"event": "RESET"}, {"return": {"a": 1}})
    ends.control.greet()
    assert ends.control.execute("query-status", what="all") == {"a": 1}
    assert [json.loads(line) for line in ends.far.recv(4096).splitlines()] == [
        {"execute": "qmp_capabilities", "arguments": {}},
        {"execute": "query-status", "arguments": {"what": "all"}},
    ]


def test_refusal(ends: Ends) -> None:
    ends.answer({"error": {"class": "GenericError", "desc": "no such thing"}})
    with pytest.raises(BootError, match="QEMU refuses `screendump`: no such thing"):
        ends.control.execute("screendump")


def test_end_before_the_answer(ends: Ends) -> None:
    ends.far.shutdown(socket.SHUT_WR)
    with pytest.raises(BootError, match="QEMU has ended before it answered to `stop`"):
        ends.control.execute("stop")


def test_end_before_the_command(ends: Ends) -> None:
    ends.far.close()
    with pytest.raises(BootError, match="QEMU has ended before `stop`"):
        ends.control.execute("stop")


def test_no_greeting(ends: Ends) -> None:
    ends.far.close()
    with pytest.raises(BootError, match="greeting"):
        ends.control.greet()
