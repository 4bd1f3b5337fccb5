"""Ports that are free, taken, or the service's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from rtap.config import Config, OutputConfig, StandbyConfig
from rtap.doctor.ports import check_ports


def output(**ports: int) -> Config:
    free: dict[str, Any] = {
        "http_port": 0,
        "health_port": 0,
        "websocket_port": 0,
        "zmq_pub_port_events": 0,
        "zmq_pub_port_transcripts": 0,
        "wyoming_port": 0,
    }
    return Config(output=OutputConfig(**{**free, **ports}))


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.usefixtures("_packages_load")
def test_ports() -> None:
    assert check_ports(output()).verdict == "ok"
    with listening() as port:
        for setting in (
            "http_port",
            "health_port",
            "websocket_port",
            "zmq_pub_port_events",
            "wyoming_port",
        ):
            finding = check_ports(output(**{setting: port}))
            assert finding.verdict == "problem"
            assert finding.message == f"in use: {port} (output.{setting})"
        off = OutputConfig(
            http_port=0,
            health_port=0,
            zmq_enabled=False,
            websocket_port=port,
            websocket_enabled=False,
            wyoming_port=port,
            wyoming_enabled=False,
        )
        assert check_ports(Config(output=off)).verdict == "ok"
    assert check_ports(output(http_port=port)).verdict == "ok"


@pytest.mark.usefixtures("_packages_load")
def test_the_port_of_a_primary() -> None:
    with listening() as port:
        config = replace(output(), standby=StandbyConfig(role="primary", port=port))
        assert check_ports(config).message == f"in use: {port} (standby.port)"
        config = replace(output(), standby=StandbyConfig(role="standby", port=port))
        assert check_ports(config).verdict == "ok"


@pytest.mark.usefixtures("_packages_load")
def test_an_address_that_is_not_ours() -> None:
    finding = check_ports(Config(output=OutputConfig(host="192.0.2.1", http_port=0)))
    assert finding.verdict == "problem"
    assert "output.host" in finding.message


@pytest.mark.usefixtures("_packages_load")
def test_wyoming_has_an_address_of_its_own() -> None:
    config = output()
    other = replace(config.output, wyoming_host="127.0.0.2")
    finding = check_ports(replace(config, output=other))
    assert finding.message == "0, 0, 0, 0, 0 on 127.0.0.1 and 0 on 127.0.0.2 are free"
    elsewhere = replace(config.output, wyoming_host="192.0.2.1")
    finding = check_ports(replace(config, output=elsewhere))
    assert finding.verdict == "problem"
    assert "change output.wyoming_host or output.wyoming_port" in finding.message


@pytest.mark.usefixtures("_packages_load")
def test_ports_that_the_service_itself_has() -> None:
    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"rtap_ready 1.0\n")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            finding = check_ports(output(health_port=server.server_port))
        finally:
            server.shutdown()
            thread.join()
    assert finding.verdict == "ok"
    assert finding.message.startswith("the service is running, and has ")
