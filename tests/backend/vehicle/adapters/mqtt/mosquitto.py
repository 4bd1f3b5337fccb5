"""Debian's mosquitto on a port of its own, that can be started, killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deadlines import SOON
from tests.operations.programs import free_port, require
from tools.process.ports import HOST


class Mosquitto:
    """A broker, which keeps nothing when it ends.

    Args:
        folder: for its configuration and its log.
        settings: lines of its configuration, in addition.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port = free_port(HOST)
        self._log = folder / "mosquitto.log"
        self._configuration = folder / "mosquitto.conf"
        lines = [f"listener {self.port} {HOST}", *settings]
        if os.geteuid() == 0:
            lines.insert(0, "user root")  # as another user it could not read the test's files
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        # A car's thread may kill it, and the test start it again before that has returned.
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        with self._lock, self._log.open("ab") as log:
            process = self._process = subprocess.Popen(
                [require("mosquitto"), "-c", self._configuration],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + SOON
        while not self._listens():
            assert process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait(SOON)
                self._process = None

    def pause(self) -> None:
        """It does nothing, and its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), SOON).close()
        except OSError:
            return False
        return True


@contextmanager
def mosquitto(folder: Path, *settings: str) -> Iterator[Mosquitto]:
    """A broker that runs; anybody may come in unless settings say otherwise."""
    require("mosquitto")
    broker = Mosquitto(folder, *(settings or ("allow_anonymous true",)))
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
