"""The receiving end of a serial line."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pexpect
import pytest

from tests.deadlines import SOON
from tools.system.booting import serial_feed
from tools.system.booting.serial_feed import SerialFeed


class Line(NamedTuple):
    feed: SerialFeed
    far: socket.socket
    log: Path

    def hang_up(self) -> None:
        self.far.close()
        self.feed.join()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    near, far = socket.socketpair()
    log = tmp_path / "console.log"
    with near, far:
        made = Line(SerialFeed(near, log, time.monotonic() - 100), far, log)
        yield made
        made.hang_up()


def test_reads_without_anybody_looking(line: Line) -> None:
    line.far.settimeout(20)
    line.far.sendall(b"0123456789abcdef" * 2**16)
    line.hang_up()
    assert line.log.stat().st_size >= 2**20
    line.feed.expect("89ab", timeout=SOON)


def test_log_has_a_time_at_every_line(line: Line) -> None:
    for data in (b"fir", b"st\r\nsecond\r\n", b"\r\n", b"\xc3", b"\xa4 open"):
        line.far.sendall(data)
    line.hang_up()
    lines = line.log.read_text("utf-8").split("\n")
    assert [re.sub(r"^\[ *\d+\.\d{3}\] ", "<t>", one) for one in lines] == [
        "<t>first",
        "<t>second",
        "<t>",
        "<t>ä open",
    ]
    assert 100 <= float(lines[0][1:10]) < 160


def test_time_of_a_match_is_that_of_its_arrival(line: Line) -> None:
    arrived = {text: threading.Event() for text in (b"one ", b"two ", b"three ")}

    def note(data: bytes) -> None:
        if data in arrived:
            arrived[data].set()

    line.feed.mirror(note)
    for text, event in arrived.items():
        line.far.sendall(text)
        assert event.wait(SOON)
    # All is there before anybody looks.
    line.hang_up()
    times = []
    for word in ("one", "two", "three"):
        line.feed.expect(word, timeout=SOON)
        times.append(line.feed.seconds_of_match())
    assert 100 <= times[0] < times[1] < times[2]


def test_memory_is_bounded(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_feed, "_KEPT", 1000)
    line.far.sendall(b"lost" + b"-" * 5000 + b"kept")
    line.hang_up()
    assert line.feed.expect(["lost", "kept"], timeout=SOON) == 1


def test_end_of_the_line(line: Line) -> None:
    line.far.sendall(b"bye")
    line.hang_up()
    line.feed.expect("bye", timeout=SOON)
    with pytest.raises(pexpect.EOF):
        line.feed.expect("more", timeout=SOON)


def test_nothing_comes(line: Line) -> None:
    with pytest.raises(pexpect.TIMEOUT):
        line.feed.expect("more", timeout=0)


def test_last_lines(line: Line) -> None:
    line.far.sendall(b"a\r\n\r\n\x1b[1;32mb\x1b[0m\r\nc\x1b[6n")
    line.hang_up()
    assert line.feed.last_lines(2) == ["b", "c"]


def test_everything_is_mirrored(line: Line) -> None:
    line.far.sendall(b"before ")
    line.feed.expect("before ", timeout=SOON)
    seen: list[bytes] = []
    line.feed.mirror(seen.append)
    line.far.sendall(b"\xff\x00after")
    line.hang_up()
    assert b"".join(seen) == b"before \xff\x00after"
