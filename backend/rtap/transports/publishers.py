"""The ways by which what happens leaves the process, beside the HTTP API: one entry each.

They get their events from the bus, which has only what this instance publishes: the hot standby decides
before that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from rtap.transports.events_ws import EventsServer
from rtap.transports.wyoming.server import WyomingServer
from rtap.transports.zeromq.publisher import ZmqPublisher

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtap.transports.schemas import Snapshot
    from rtap.transports.service import Service


class Publisher(Protocol):
    """One way out. Started and stopped once, in the service's event loop."""

    async def start(self) -> None:
        """Begin.

        Raises:
            TransportError: it cannot, for example because its port is in use.
        """

    async def stop(self) -> None:
        """Send what was published so far, and end. Does nothing where nothing was started."""


class ThreadedPublisher(Protocol):
    """One that works in a thread of its own, so that its methods may block."""

    def start(self) -> None:
        """See :meth:`Publisher.start`."""

    def stop(self) -> None:
        """See :meth:`Publisher.stop`."""


class InThread:
    """Makes a publisher of one that has a thread of its own."""

    def __init__(self, publisher: ThreadedPublisher) -> None:
        self._publisher = publisher

    async def start(self) -> None:
        """See :meth:`Publisher.start`."""
        self._publisher.start()

    async def stop(self) -> None:
        """See :meth:`Publisher.stop`."""
        await asyncio.to_thread(self._publisher.stop)


def make_publishers(service: Service, snapshot: Callable[[], Snapshot]) -> list[Publisher]:
    """All that the configuration wants, in the order in which they are started.

    Args:
        snapshot: how things stand, for clients that have just come.
    """
    output, bus, telemetry = service.config.output, service.bus, service.telemetry
    wanted: list[tuple[bool, Callable[[], Publisher]]] = [
        (output.zmq_enabled, lambda: InThread(ZmqPublisher(output, bus, telemetry))),
        (output.websocket_enabled, lambda: EventsServer(output, bus, snapshot, telemetry)),
        (output.wyoming_enabled, lambda: WyomingServer(service)),
    ]
    return [make() for is_wanted, make in wanted if is_wanted]
