"""Who listens where: every port that a configuration opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtap.config import Config


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port to listen on."""

    name: str
    """The port's parameter, such as output.http_port."""
    host_name: str
    """The address' parameter, such as output.host."""
    host: str
    port: int
    """0: any that is free."""


def listeners(config: Config) -> tuple[Endpoint, ...]:
    """All that listen as configured; what is switched off is left out."""
    output, standby = config.output, config.standby
    here, wyoming = ("output.host", output.host), ("output.wyoming_host", output.wyoming_host)
    transcripts_port = output.zmq_pub_port_transcripts
    table = (
        (True, "output.http_port", here, output.http_port),
        (True, "output.health_port", here, output.health_port),
        (output.websocket_enabled, "output.websocket_port", here, output.websocket_port),
        (output.zmq_enabled, "output.zmq_pub_port_events", here, output.zmq_pub_port_events),
        (output.zmq_enabled, "output.zmq_pub_port_transcripts", here, transcripts_port),
        (output.wyoming_enabled, "output.wyoming_port", wyoming, output.wyoming_port),
        (standby.role == "primary", "standby.port", here, standby.port),
    )
    return tuple(
        Endpoint(name, host_name, host, port)
        for listens, name, (host_name, host), port in table
        if listens
    )
