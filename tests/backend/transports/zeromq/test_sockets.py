"""What anybody may send to a ZeroMQ port of the service."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from rtap.bus import EventBus
from rtap.config import OutputConfig, StandbyConfig
from rtap.standby.link import Instance, StandbyLink
from rtap.telemetry import Telemetry
from rtap.transports.zeromq import sockets as zmq_sockets
from rtap.transports.zeromq.publisher import ZmqPublisher

OUTPUT = OutputConfig(zmq_pub_port_events=0, zmq_pub_port_transcripts=0)
KEY = "a key of sixteen letters"
NULL, PLAIN = b"NULL", b"PLAIN"
_LONG_FRAME, _LONG_COMMAND = 0x02, 0x06


@pytest.fixture(params=["", KEY], ids=["open", "guarded"])
def ports(request) -> Iterator[dict[str, Any]]:
    """Ports by name, and the mechanism that they want."""
    output = replace(OUTPUT, api_key=request.param)
    with ExitStack() as stack:
        publisher = ZmqPublisher(output, EventBus(), Telemetry())
        publisher.start()
        stack.callback(publisher.stop)
        instance = Instance(lambda: True, lambda: True, lambda _: None)
        link = StandbyLink(StandbyConfig(role="primary", port=0), output, instance, Telemetry())
        link.start()
        stack.callback(link.stop)
        yield {
            "events": publisher.ports.events,
            "transcripts": publisher.ports.transcripts,
            "standby": link.port,
            "mechanism": PLAIN if request.param else NULL,
        }


def greeted(port: int, mechanism: bytes) -> socket.socket:
    """Connected, with the greeting of ZMTP 3.0 sent and that of the service read."""
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32))
    received = b""
    while len(received) < 64:
        more = client.recv(64 - len(received))
        assert more, "the service closed the connection"
        received += more
    return client


def read_to_the_end(client: socket.socket) -> None:
    """Raises TimeoutError where the service goes on waiting."""
    try:
        while client.recv(1 << 16):
            pass
    except ConnectionError:
        pass


@pytest.mark.parametrize("name", ["events", "transcripts", "standby"])
@pytest.mark.parametrize("kind", [_LONG_FRAME, _LONG_COMMAND])
def test_a_frame_of_500_mb_is_cut_off_at_its_length(ports, name, kind):
    with greeted(ports[name], ports["mechanism"]) as client:
        client.sendall(struct.pack("!BQ", kind, 500_000_000) + bytes(1_000))
        read_to_the_end(client)


def test_who_does_not_say_who_it_is_is_cut_off(monkeypatch):
    monkeypatch.setattr(zmq_sockets, "_HANDSHAKE_MS", 100)
    publisher = ZmqPublisher(OUTPUT, EventBus(), Telemetry())
    publisher.start()
    try:
        with socket.create_connection(("127.0.0.1", publisher.ports.events), 10) as client:
            read_to_the_end(client)
    finally:
        publisher.stop()
