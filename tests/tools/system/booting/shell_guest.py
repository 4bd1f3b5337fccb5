"""A guest that is a shell of this machine on a terminal, behind a serial line: what a console talks to."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PROMPT: Final = "voice:~# "
GETTY: Final = """
printf 'kernel: starting\\n\\nvoice login: '
read -r user
if [ -n "$1" ]; then
    stty -echo; printf 'Password: '; read -r given; stty echo; echo
    if [ "$given" != "$1" ]; then echo 'Login incorrect'; exec sleep 1000; fi
fi
echo 'Last login: today # from the console'
export PS1='voice:~# '
exec bash --norc -i
"""

Filter = Callable[[bytes], bytes]


def unchanged(data: bytes) -> bytes:
    return data


class ShellGuest:
    """Started with ``with``.

    Args:
        script: what runs on its terminal.
        password: that its login wants.
        on_input: changes what is typed on its way.
        step: bytes of output that come at once.
    """

    def __init__(
        self,
        folder: Path,
        script: str = GETTY,
        password: str = "",
        on_input: Filter = unchanged,
        step: int = 65536,
    ) -> None:
        self.line, self._end = socket.socketpair()
        self._on_input = on_input
        self._step = step
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "sh", "-c", script, "sh", password],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=os.environ | {"TERM": "vt100", "HOME": str(folder)},
        )
        os.close(slave)
        self._threads = [threading.Thread(target=self._in), threading.Thread(target=self._out)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.power_off()
        for thread in self._threads:
            thread.join()
        os.close(self._master)
        self._end.close()
        self.line.close()

    def power_off(self) -> None:
        """It ends with all that it has started, and the line is closed."""
        if self._process.poll() is None:
            for pid in _session(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def say(self, text: bytes) -> None:
        """Write to the console, as its kernel does."""
        self._end.sendall(text)

    def _in(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._end.recv(65536):
                os.write(self._master, self._on_input(data))

    def _out(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, self._step):
                self._end.sendall(data)


def _session(leader: int) -> list[int]:
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == leader:
                members.append(int(folder.name))
    return members
