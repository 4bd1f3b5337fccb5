"""Other people's programs that the configuration is for: found, run and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import httpx
import pytest

from tests.deadlines import SOON
from tools.root import ROOT

CONF: Final = ROOT / "conf"
_PACKAGES: Final = {
    "amtool": "prometheus-alertmanager",
    "haproxy": "haproxy",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
}
Found = TypeVar("Found")


def require(program: str) -> str:
    """The program's path; without it, the test skips and says what to install."""
    # Debian puts haproxy where only root looks.
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed: apt-get install {_PACKAGES[program]}")
    return path


def check(*command: str | Path) -> str:
    """Run a program that checks something; what it says, which has to be no complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until it is no longer needed; its output is shown where a test fails."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(SOON)
            except subprocess.TimeoutExpired:
                process.kill()
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")


def wait_for(what: str, look: Callable[[], Found | None], seconds: float = SOON) -> Found:
    """What ``look`` finds, as soon as it finds anything; a server that does not listen yet is no error."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = look()
        except (OSError, httpx.TransportError):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def free_port(*hosts: str) -> int:
    """A port that nobody listens on at this moment, on any of the addresses; 127.0.0.1 if none is named."""
    for _ in range(50):
        with socket.create_server((hosts[0] if hosts else "127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            if all(_is_free(host, port) for host in hosts[1:]):
                return port
    raise AssertionError(f"no port is free on {hosts}")


def _is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True
