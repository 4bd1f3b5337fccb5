"""Ports for a service that is started beside others: what a tool or a benchmark writes into its profile."""

from __future__ import annotations

import socket
from typing import Final

HOST: Final = "127.0.0.1"
_PORTS: Final = (
    "http_port",
    "websocket_port",
    "health_port",
    "zmq_pub_port_events",
    "zmq_pub_port_transcripts",
    "wyoming_port",
)


def free_ports() -> dict[str, int]:
    """Ports that nobody listens on at this moment, by their parameters in the profile's section output."""
    listeners = [socket.create_server((HOST, 0)) for _ in _PORTS]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return dict(zip(_PORTS, ports, strict=True))
