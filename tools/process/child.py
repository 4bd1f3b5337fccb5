"""A program that runs beside this one and ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

_STOP_SECONDS: Final = 10.0
_LINES_KEPT: Final = 200


class Child:
    """Started with ``with``, ended at its end.

    Args:
        command: program and arguments.
        environment: in addition to this process's own.
        pass_fds: file descriptors that it inherits.
        on_line: called in a thread with each line that it writes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        pass_fds: Sequence[int] = (),
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._on_line = on_line
        self._process = subprocess.Popen(
            command,
            env=os.environ | dict(environment or {}),
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def complaint(self) -> str:
        """The last of what it wrote."""
        return "\n".join(list(self._lines)[-20:])

    def wait(self, seconds: float) -> int:
        """Wait until it has ended by itself; returns its exit status."""
        status = self._process.wait(seconds)
        self._reader.join()
        return status

    def stop(self) -> None:
        """End it, gently if it lets us."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.append(line.rstrip("\n"))
                self._on_line(line)
