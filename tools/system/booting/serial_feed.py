"""What comes over a serial line: read at once by a thread, logged with times, and kept until somebody looks.

A guest whose serial port nobody reads stands still at its next line.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import socket
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from pexpect import EOF, TIMEOUT
from pexpect.spawnbase import SpawnBase

if TYPE_CHECKING:
    _Matching = SpawnBase[str]
else:
    _Matching = SpawnBase

READ_BYTES: Final = 65536
_KEPT: Final = 4 * 2**20
"""Characters that wait for a reader; a console that nobody looks at must not fill the memory."""
_TAIL: Final = 16384
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class SerialFeed(_Matching):
    """The receiving end of a serial line, for pexpect's matching.

    Args:
        line: connected to the serial port.
        log: gets all that comes in, each line with its time.
        started: ``time.monotonic()`` at power-on.
    """

    def __init__(self, line: socket.socket, log: Path, started: float) -> None:
        super().__init__(encoding="utf-8", codec_errors="replace", maxread=READ_BYTES)
        self._on_bytes: Callable[[bytes], None] = lambda _: None
        self._line = line
        self._started = started
        self._changed = threading.Condition()
        self._waiting = ""
        self._tail = ""
        self._has_ended = False
        self._received = 0
        self._taken = 0
        self._arrivals: list[tuple[int, float]] = []
        self._thread = threading.Thread(target=self._read_all, args=(log,), daemon=True)
        self._thread.start()

    def read_nonblocking(self, size: int = 1, timeout: float | None = None) -> str:
        """What has come in, at once if there is something.

        Raises:
            TIMEOUT: nothing came.
            EOF: nothing will come any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._has_ended, timeout)
            if not self._waiting:
                raise EOF("the line is closed") if self._has_ended else TIMEOUT("nothing came")
            text, self._waiting = self._waiting[:size], self._waiting[size:]
            self._taken += len(text)
            return text

    def seconds_of_match(self) -> float:
        """Seconds from power-on to the arrival of what pexpect matched last."""
        with self._changed:
            place = self._taken - len(self.buffer)
            index = bisect_left(self._arrivals, (place, 0.0))
            return self._arrivals[min(index, len(self._arrivals) - 1)][1]

    def mirror(self, on_bytes: Callable[[bytes], None]) -> None:
        """Call this with what came in last, and then, in a thread, with all that comes."""
        with self._changed:
            on_bytes(self._tail.encode())
            self._on_bytes = on_bytes

    def last_lines(self, count: int) -> list[str]:
        """The end of all that came in, without colours and empty lines."""
        with self._changed:
            text = _ESCAPE.sub("", self._tail)
        lines = [line.rstrip() for line in text.replace("\r", "\n").split("\n")]
        return [line for line in lines if line][-count:]

    def join(self) -> None:
        """Wait until the line is closed and all of it is in the log."""
        self._thread.join()

    def _read_all(self, log: Path) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with log.open("a", encoding="utf-8", newline="\n") as file:
            stamped = _StampedLog(file)
            while data := self._receive():
                text = decoder.decode(data)
                seconds = time.monotonic() - self._started
                with self._changed:
                    self._on_bytes(data)
                    self._keep(text, seconds)
                stamped.write(text, seconds)
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _receive(self) -> bytes:
        with contextlib.suppress(OSError):
            return self._line.recv(READ_BYTES)
        return b""

    def _keep(self, text: str, seconds: float) -> None:
        self._received += len(text)
        self._arrivals.append((self._received, seconds))
        self._tail = (self._tail + text)[-_TAIL:]
        self._waiting += text
        if lost := max(0, len(self._waiting) - _KEPT):
            self._waiting = self._waiting[lost:]
            self._taken += lost
        self._changed.notify_all()


class _StampedLog:
    """A text file whose lines begin with a time."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._is_new_line = True

    def write(self, text: str, seconds: float) -> None:
        for piece in text.replace("\r", "").splitlines(keepends=True):
            if self._is_new_line:
                self._file.write(f"[{seconds:9.3f}] ")
            self._file.write(piece)
            self._is_new_line = piece.endswith("\n")
        self._file.flush()
