"""Ports for a service that is started beside others: what a tool or a benchmark writes into its profile."""

from __future__ import annotations

import socket
from typing import Final

from rtap.config import Config
from rtap.config.listeners import listeners

HOST: Final = "127.0.0.1"


def free_ports() -> dict[str, int]:
    """Ports that nobody listens on at this moment, by their parameters in the profile's section output."""
    names = [endpoint.name.removeprefix("output.") for endpoint in listeners(Config())]
    sockets = [socket.create_server((HOST, 0)) for _ in names]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return dict(zip(names, ports, strict=True))
