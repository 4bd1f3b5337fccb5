"""The console on the user's terminal, with an invented machine; test_boot_image.py has a real one."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO, cast

import pytest

from tools.system.booting import terminal_session
from tools.system.booting.boot_error import BootError
from tools.system.booting.machine import VirtualMachine


class FakeConsole:
    def __init__(self) -> None:
        self.typed = b""
        self.show: Callable[[bytes], None] = lambda _: None

    def mirror(self, on_bytes: Callable[[bytes], None]) -> None:
        self.show = on_bytes

    def send(self, data: bytes) -> None:
        self.typed += data
        self.show(b"<" + data + b">")


class FakeMachine:
    """A second passes whenever somebody asks; it switches off once it has got the last of what is typed."""

    def __init__(self, last: bytes = b"never") -> None:
        self.console = FakeConsole()
        self.trouble = ""
        self._last = last
        self._seconds = 0

    def is_running(self) -> bool:
        return not self.console.typed.endswith(self._last)

    def seconds(self) -> float:
        self._seconds += 1
        return self._seconds

    def diagnosis(self) -> str:
        return self.trouble


class Output(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO())


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[bytes]]:
    """The far end of standard input."""
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as stdin, open(writer, "wb", buffering=0) as far:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", stdin)
        yield far


def attend(machine: FakeMachine, seconds: float | None) -> bool:
    return terminal_session.attend(cast(VirtualMachine, machine), seconds)


def test_types_and_shows(typing: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output()
    monkeypatch.setattr(sys, "stdout", output)
    typing.write(b"a\x1d\xffz")
    machine = FakeMachine(b"z")
    assert attend(machine, None)
    assert machine.console.typed == b"a\x03\xffz"
    assert cast(io.BytesIO, output.buffer).getvalue() == b"<a\x03\xffz>"


def test_limit(typing: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_session, "_PAUSE_SECONDS", 0)
    assert not attend(FakeMachine(), 5)


@pytest.mark.parametrize("is_there", [True, False])
def test_end_of_input(
    typing: IO[bytes], monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    monkeypatch.setattr(terminal_session, "_PAUSE_SECONDS", 0)
    if is_there:
        typing.close()
    else:
        monkeypatch.setattr(sys, "stdin", None)
    machine = FakeMachine()
    assert not attend(machine, 5)
    assert machine.console.typed == b""


def test_trouble(typing: IO[bytes]) -> None:
    machine = FakeMachine()
    machine.trouble = "the guest stands still, as the disk is full"
    with pytest.raises(BootError, match="disk is full"):
        attend(machine, None)


def test_nobody_reads_the_output(typing: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output()
    output.close()
    monkeypatch.setattr(sys, "stdout", output)
    typing.write(b"a")
    with pytest.raises(BrokenPipeError):
        attend(FakeMachine(), None)
