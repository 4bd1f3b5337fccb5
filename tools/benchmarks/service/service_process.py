"""The service as a process of its own, on ports that are free, and what is asked of it over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from rtap.errors import ModelError, PipelineError, TransportError
from rtap.whisper.model_store import BUNDLED_MODEL
from tools.process.ports import HOST, free_ports

START_SECONDS: Final = 180.0
"""For a service to become healthy: a Raspberry Pi's card is slow."""
_STOP_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05
_HARMLESS: Final = frozenset({"INFO", "WARNING"})
_OVERRIDES: Final = frozenset(
    {
        "AUDIO_DEVICE",
        "LOG_LEVEL",
        "MODEL_NAME",
        "ONNX_NUM_THREADS",
        "RTAP_ALLOWED_HOSTS",
        "RTAP_ALLOWED_ORIGINS",
        "RTAP_API_KEY",
        "RTAP_AUDIO_MOCK",
        "RTAP_ENVIRONMENT",
        "RTAP_LOG_LEVEL",
        "RTAP_TRUSTED_PROXIES",
    }
)
"""Environment variables that would come before the profile, and make another service than the report says."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """In which the service differs from its defaults; it never has a microphone here."""

    model: str | None = None
    """Name or directory; None: the bundled one."""
    threads: int | None = None
    """For one inference; None: as the default profile says."""
    decode_at_pause: bool | None = None
    """None: as the default profile says."""
    api_key: str = ""
    """Empty: none is asked for."""
    vehicle: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of that section; empty: as the default profile says."""

    def profile(self, ports: dict[str, int]) -> dict[str, Any]:
        """The profile to start it with."""
        stt = {
            "model_name": self.model or BUNDLED_MODEL,
            "num_threads": self.threads,
            "decode_at_pause": self.decode_at_pause,
        }
        vehicle = {"vehicle": dict(self.vehicle)} if self.vehicle else {}
        return vehicle | {
            "inherits": "default",
            "audio": {"source": "none"},
            "stt": {name: value for name, value in stt.items() if value is not None},
            "output": {**ports, "api_key": self.api_key} if self.api_key else ports,
        }


class ServiceLog:
    """Reads all that the service writes, and keeps what is bad.

    Args:
        lines: as they come.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.levels: Counter[str] = Counter()
        """Lines by level; what is no JSON counts as ``unreadable``."""
        self.bad: deque[str] = deque(maxlen=20)
        """The last lines that are errors, or no JSON at all."""
        self._thread = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._thread.start()

    @property
    def errors(self) -> int:
        """Lines that should not be there, warnings apart."""
        counted = dict(self.levels)  # at once, as the other thread adds to it
        return sum(count for level, count in counted.items() if level not in _HARMLESS)

    def join(self) -> None:
        """Wait for the last line."""
        self._thread.join()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            try:
                level = str(json.loads(line)["level"])
            except (ValueError, LookupError, TypeError):
                level = "unreadable"
            self.levels[level] += 1
            if level not in _HARMLESS:
                self.bad.append(line.strip())


class ServiceProcess:
    """A service that was started. All methods are for any thread.

    Args:
        started_at: ``time.perf_counter()`` from before it was started.
        api_key: that it asks for; empty: none.
    """

    def __init__(
        self,
        process: subprocess.Popen[str],
        ports: dict[str, int],
        started_at: float,
        api_key: str = "",
    ) -> None:
        assert process.stderr is not None
        self._key = {"X-API-Key": api_key} if api_key else {}
        self._process = process
        self._ports = ports
        self._started_at = started_at
        self.log = ServiceLog(process.stderr)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def processor_seconds(self) -> float:
        """Processor time that it has used, on all cores together.

        Raises:
            ModelError: it has ended.
        """
        try:
            used = psutil.Process(self.pid).cpu_times()
        except psutil.NoSuchProcess:
            raise ModelError(f"the service has ended: {' '.join(self.log.bad)}") from None
        return float(used.user + used.system)

    @property
    def has_ended(self) -> bool:
        """Whether there is no service any more."""
        return self._process.poll() is not None

    @property
    def port(self) -> int:
        """Of REST and ``/stream``."""
        return self._ports["http_port"]

    @property
    def stream_url(self) -> str:
        """Of the WebSocket that takes sound."""
        return f"ws://{HOST}:{self.port}/stream"

    @property
    def events_url(self) -> str:
        """Of the WebSocket that tells what happens."""
        return f"ws://{HOST}:{self.events_port}/"

    @property
    def events_port(self) -> int:
        """Of that WebSocket."""
        return self._ports["websocket_port"]

    @property
    def zmq_events_port(self) -> int:
        """Of ZeroMQ's socket that tells what happens."""
        return self._ports["zmq_pub_port_events"]

    @property
    def age(self) -> float:
        """Seconds since the process was started."""
        return time.perf_counter() - self._started_at

    def wait_until_healthy(self) -> float:
        """Returns its age when ``/health`` first said 200.

        Raises:
            ModelError: the service ended, or says that it will never have a model, or takes too long.
        """
        while self.age < START_SECONDS:
            if self.has_ended:
                self.log.join()
                raise ModelError(f"the service has ended: {' '.join(self.log.bad)}")
            try:
                if self._request("GET", "/health")[0] == http.client.OK:
                    return self.age
            except OSError:
                pass  # it does not listen yet
            time.sleep(_POLL_SECONDS)
        raise ModelError(
            f"the service did not become healthy within {START_SECONDS:.0f} s: start it with `rtap serve`, "
            f"and see what it says"
        )

    def transcribe(self, wav: bytes, timeout: float = 60.0) -> dict[str, Any]:
        """What ``/transcribe`` replies to a file.

        Raises:
            TransportError: no reply within ``timeout`` seconds.
            PipelineError: the service refused the file.
        """
        boundary = uuid.uuid4().hex
        disposition = 'form-data; name="audio_file"; filename="speech.wav"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
        body = head + wav + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            status, text = self._request("POST", "/transcribe", body, headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(
                f"/transcribe gave no reply ({type(error).__name__}: {error}): see the service's log"
            ) from error
        if status != http.client.OK:
            raise PipelineError(f"/transcribe replied {status}: {text.decode(errors='replace')}")
        reply: dict[str, Any] = json.loads(text)
        return reply

    def health_status(self, timeout: float) -> int:
        """HTTP status of ``/health`` on its own port.

        Raises:
            OSError: no reply within ``timeout`` seconds.
            http.client.HTTPException: a broken one.
        """
        return self._request("GET", "/health", timeout=timeout, port="health_port")[0]

    def metric(self, name: str) -> float:
        """The sum of all values of a metric, or the value that it has with the labels of ``name``.

        Raises:
            TransportError: the service does not tell.
        """
        try:
            text = self._request("GET", "/metrics", port="health_port")[1].decode()
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(f"/metrics gave no reply ({error}): see the log") from error
        lines = (line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def stop(self) -> None:
        """End it, gently if it lets us."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.log.join()

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 15.0,
        *,
        port: str = "http_port",
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self._ports[port], timeout=timeout)
        try:
            connection.request(method, path, body, {**self._key, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def service(settings: ServiceSettings) -> Iterator[ServiceProcess]:
    """A service that is being started; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        ports = free_ports()
        profile = Path(folder) / "benchmark.yaml"
        profile.write_text(yaml.safe_dump(settings.profile(ports)), encoding="utf-8")
        command = [sys.executable, "-m", "rtap", "serve", "--file", str(profile)]
        environment = {name: value for name, value in os.environ.items() if name not in _OVERRIDES}
        started_at = time.perf_counter()
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
        ) as process:
            running = ServiceProcess(process, ports, started_at, settings.api_key)
            try:
                yield running
            finally:
                running.stop()


@contextmanager
def healthy_service(
    settings: ServiceSettings, warm_up: Iterable[bytes]
) -> Iterator[ServiceProcess]:
    """A service that has become healthy, and has heard some files already: first times are slow."""
    with service(settings) as running:
        running.wait_until_healthy()
        for wav in warm_up:
            running.transcribe(wav)
        yield running
