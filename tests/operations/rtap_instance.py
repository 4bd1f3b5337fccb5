"""`rtap serve` with the bundled model, as one of several on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import soundfile
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.deadlines import SOON
from tests.operations.programs import running, wait_for
from tools.process.ports import free_ports
from tools.root import ROOT

COMMAND: Final = ROOT / "tests/audio/turn_on_the_heating.wav"
"""A file with something for the bundled model to hear."""
TEXT: Final = "turn on the heating"
FRAME: Final = 1_600
"""Samples in a tenth of a second."""


@dataclass(frozen=True)
class Instance:
    """A service that was started."""

    process: subprocess.Popen[bytes]
    host: str
    ports: dict[str, int]

    @property
    def url(self) -> str:
        """Of REST."""
        return f"http://{self.host}:{self.ports['http_port']}"

    @property
    def stream_url(self) -> str:
        """Of the WebSocket."""
        return f"ws://{self.host}:{self.ports['http_port']}/stream"

    @property
    def metrics_address(self) -> str:
        """As Prometheus wants it."""
        return f"{self.host}:{self.ports['health_port']}"

    def is_healthy(self) -> bool:
        """Whether transcripts are to be had."""
        assert self.process.poll() is None, "the service has ended"
        return httpx.get(f"{self.url}/health", timeout=SOON).status_code == 200

    def wait_until_healthy(self) -> None:
        wait_for("a healthy service", self.is_healthy)

    def metrics(self) -> str:
        """All that it says of itself."""
        return httpx.get(f"http://{self.metrics_address}/metrics", timeout=SOON).text

    def metric(self, name: str) -> float:
        """The sum of all values of a metric."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.metrics())
            for sample in family.samples
            if sample.name == name
        )


@contextmanager
def instance(
    place: Path, host: str = "127.0.0.1", ports: Mapping[str, int] | None = None
) -> Iterator[Instance]:
    """A service of one thread that is being started; ended at the end."""
    output: dict[str, Any] = {**free_ports(), **(ports or {})}
    profile = {
        "inherits": "default",
        "audio": {"source": "none"},
        "stt": {"model_name": "cabin-en", "num_threads": 1},
        "output": output | {"host": host, "wyoming_enabled": False, "zmq_enabled": False},
    }
    file = place / f"{host}.yaml"
    file.write_text(yaml.safe_dump(profile), encoding="utf-8")
    command = [sys.executable, "-m", "rtap", "serve", "--file", str(file)]
    with running(command, place / f"rtap-{host}.log") as process:
        yield Instance(process, host, output)


def speech() -> bytes:
    """A command and the silence that ends it, as ``/stream`` wants it."""
    samples, rate = soundfile.read(COMMAND, dtype="float32")
    assert rate == 16_000
    return np.concatenate([samples, np.zeros(rate, np.float32)]).tobytes()


def frames(audio: bytes) -> Iterator[bytes]:
    """The audio in tenths of a second."""
    size = 4 * FRAME
    for begin in range(0, len(audio), size):
        yield audio[begin : begin + size]
