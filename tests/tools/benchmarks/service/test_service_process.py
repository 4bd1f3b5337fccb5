from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from rtap.errors import ModelError, PipelineError, TransportError
from tools.benchmarks.service.service_process import ServiceLog, ServiceProcess, ServiceSettings


class Reply(BaseHTTPRequestHandler):
    health: ClassVar[list[int]] = []
    asked: ClassVar[list[bytes]] = []
    metrics = (
        b'rtap_streams_open{transport="stream"} 2.0\nrtap_streams_open{transport="b"} 1\n'
        b"rtap_streams_open_seconds 9\n"
    )

    def do_GET(self) -> None:
        status = self.health.pop(0) if self.path == "/health" else 200
        self.answer(status, self.metrics)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(body)
        is_good = b"\r\n\r\nRIFF\r\n--" in body
        self.answer(200 if is_good else 415, b'{"text": "navigate home"}')

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def process(program: str, port: int = 1) -> Iterator[ServiceProcess]:
    command = [sys.executable, "-c", program]
    started_at = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        running = ServiceProcess(started, {"http_port": port, "health_port": port}, started_at)
        yield running
        running.stop()


@pytest.fixture
def replying() -> Iterator[ServiceProcess]:
    with HTTPServer(("127.0.0.1", 0), Reply) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with process("import time; time.sleep(60)", server.server_port) as running:
            yield running
        server.shutdown()
        thread.join()


def test_healthy_is_200_and_nothing_less(replying: ServiceProcess) -> None:
    Reply.health[:] = [503, 200]
    assert 0 < replying.wait_until_healthy() < 10
    assert Reply.health == []


def test_a_file_is_sent_as_a_form(replying: ServiceProcess) -> None:
    assert replying.transcribe(b"RIFF")["text"] == "navigate home"
    assert b'name="audio_file"; filename="speech.wav"' in Reply.asked[-1]
    with pytest.raises(PipelineError, match="replied 415"):
        replying.transcribe(b"what?")


def test_a_metric_is_the_sum_over_its_labels(replying: ServiceProcess) -> None:
    assert replying.metric("rtap_streams_open") == 3
    assert replying.metric('rtap_streams_open{transport="stream"}') == 2


def test_nobody_there_is_an_error_of_ours() -> None:
    with process("import time; time.sleep(60)") as running:
        with pytest.raises(TransportError, match="gave no reply"):
            running.transcribe(b"")
        with pytest.raises(TransportError, match="gave no reply"):
            running.metric("rtap_ready")


def test_a_service_that_ends_is_quoted() -> None:
    with (
        process("import sys; sys.exit('rtap: error: no model x')") as running,
        pytest.raises(ModelError, match="rtap: error: no model x"),
    ):
        running.wait_until_healthy()


def test_the_log_counts_what_should_not_be_there() -> None:
    log = ServiceLog(
        [
            '{"level": "INFO"}\n',
            '{"level": "WARNING"}\n',
            '{"level": "ERROR"}\n',
            "Traceback\n",
            "[]",
        ]
    )
    log.join()
    assert log.errors == 3
    assert list(log.bad) == ['{"level": "ERROR"}', "Traceback", "[]"]


def test_only_what_was_asked_for_differs_from_the_defaults() -> None:
    ports = {"http_port": 1}
    profile = {"inherits": "default", "audio": {"source": "none"}, "output": ports}
    assert ServiceSettings().profile(ports) == {
        **profile,
        "stt": {"model_name": "cabin-en"},
    }
    chosen = ServiceSettings("base", 4, decode_at_pause=False).profile(ports)
    assert chosen["stt"] == {"model_name": "base", "num_threads": 4, "decode_at_pause": False}
