"""The whole service as a process of its own, with the bundled model, on ports that are free."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from websockets.sync.client import ClientConnection, connect

from tests.deadlines import SOON
from tools.process.ports import HOST, free_ports

AUDIO = Path(__file__).parent / "audio"
COMMAND = "set the temperature to twenty one degrees"
"""What is said in set_the_temperature.wav."""


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    @property
    def port(self) -> int:
        return self.ports["http_port"]

    def url(
        self, path: str, port: str = "http_port", scheme: str = "http", host: str = HOST
    ) -> str:
        return f"{scheme}://{host}:{self.ports[port]}{path}"

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.url("/health"), timeout=SOON).status_code == 200:
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, "the service has ended"
            time.sleep(0.1)
        raise AssertionError("the service did not become healthy")

    def events(self) -> ClientConnection:
        """A client of the events' WebSocket, as soon as it is there."""
        deadline = time.monotonic() + SOON
        while True:
            try:
                return connect(self.url("/", "websocket_port", "ws"), open_timeout=SOON)
            except OSError:
                assert self.process.poll() is None, "the service has ended"
                assert time.monotonic() < deadline
                time.sleep(0.02)


@contextmanager
def service(
    place: Path,
    audio: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    **sections: Mapping[str, Any],
) -> Iterator[Running]:
    """Ended at the end, and then its log is looked at: no errors, and nothing of what was said.

    Args:
        place: for its profile and its log.
        audio: of the profile; None: no microphone.
        output: what differs there from free ports.
        sections: others of the profile. The simulated car is kept in ``place``.
    """
    ports = free_ports()
    settings: dict[str, Any] = {
        "inherits": "default",
        "audio": audio or {"source": "none"},
        "output": {**ports, **(output or {})},
        "vehicle": {"state": str(place / "car.json")},
        **sections,
    }
    ports |= {name: settings["output"][name] for name in ports}
    profile, log = place / "test.yaml", place / "service.log"
    profile.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "rtap", "serve", "--file", str(profile)]
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            yield Running(process, ports)
        finally:
            process.terminate()
            try:
                process.wait(SOON)
            finally:
                process.kill()
                print(log.read_text(encoding="utf-8"))
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["level"] in ("INFO", "WARNING") for line in lines)
    assert not any("temperature" in line for line in lines), "a transcript was logged"
