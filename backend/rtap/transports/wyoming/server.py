"""Port 10300: the Wyoming protocol, which Home Assistant speaks. Speech to text and wake words.

The car's own microphone is not heard of here: in this protocol a client sends sound and gets answers, and
only a satellite, which this is not, tells of its own accord what its microphone heard. Those events are on
port 5802 and in ZeroMQ.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from rtap import logs
from rtap.addresses import is_loopback
from rtap.errors import TransportError
from rtap.transports.admission.places import Places
from rtap.transports.api_errors import ApiError
from rtap.transports.wyoming.client import TRANSPORT, WyomingClient
from rtap.transports.wyoming.wire import MAX_LINE

if TYPE_CHECKING:
    from rtap.transports.service import Service
    from rtap.transports.wyoming.discovery import Announcement

_log = logs.get("wyoming")

MAX_CLIENTS: Final = 64
_MAX_REFUSED: Final = 64
"""Clients beyond those that are being told so; the others are cut off without a word."""
_THREADS: Final = 2
"""For all clients together, as for those of ``/stream``."""
_ANSWER_SECONDS: Final = 2.0
"""At the end, for answers that are under way."""


class WyomingServer:
    """Serves in the event loop that :meth:`start` is called in. Started and stopped once."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: asyncio.Server | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._clients: dict[asyncio.Task[None], WyomingClient] = {}
        self._refused: set[asyncio.Task[None]] = set()
        self._rounds = Places(service.config.limits.max_streams)
        self._announcement: Announcement | None = None
        self.port = 0
        """The port in use, from :meth:`start` on."""

    @property
    def open_clients(self) -> int:
        """Those that are connected and served."""
        return len(self._clients)

    async def start(self) -> None:
        """Listen, and announce it where that is configured.

        Raises:
            TransportError: the port is in use or not ours, or the host has no such address.
            ConfigurationError: it is to be announced, and only this machine can reach it.
        """
        config = self._service.config.output
        host, port = config.wyoming_host, config.wyoming_port
        try:
            self._server = await asyncio.start_server(self._connected, host, port, limit=MAX_LINE)
        except OSError as error:
            raise TransportError(
                f"Wyoming cannot be served on {host} port {port} ({error.strerror}): stop the program that "
                f"listens there, or change output.wyoming_host or output.wyoming_port"
            ) from error
        bound = [listener.getsockname() for listener in self._server.sockets]
        self.port = bound[0][1]
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=TRANSPORT)
        if config.wyoming_zeroconf:
            await self._announce([address[0] for address in bound])

    async def stop(self) -> None:
        """Withdraw the announcement, wait a moment for answers under way, and close all clients."""
        server, self._server = self._server, None
        if server is None or self._pool is None:
            return
        server.close()
        announcement, self._announcement = self._announcement, None
        if announcement is not None:
            await announcement.stop()
        answering = [task for task, client in self._clients.items() if client.leave()]
        if answering:
            await asyncio.wait(answering, timeout=_ANSWER_SECONDS)
        tasks = [*self._clients, *self._refused]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _announce(self, bound: list[str]) -> None:
        # Here, for few want it, and it brings a megabyte with it.
        from rtap.transports.wyoming.discovery import Announcement, announced_addresses

        try:
            addresses = announced_addresses(bound)
        except BaseException:
            await self.stop()
            raise
        self._announcement = Announcement(addresses, self.port)
        self._announcement.start()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._pool is None or len(self._refused) >= _MAX_REFUSED:
            writer.transport.abort()
            return
        local = is_loopback(writer.get_extra_info("peername", ("",))[0])
        place = partial(self._place, local=local)
        client = WyomingClient(reader, writer, self._service, self._pool, place)
        try:
            if len(self._clients) < MAX_CLIENTS:
                self._clients[task] = client
                await client.run()
            else:
                self._refused.add(task)
                await client.refuse(
                    ApiError(
                        503, "too_many_clients", f"{MAX_CLIENTS} clients are connected: close one"
                    )
                )
        except asyncio.CancelledError:
            writer.transport.abort()  # by stop(), who waits for this
        finally:
            self._clients.pop(task, None)
            self._refused.discard(task)

    @contextmanager
    def _place(self, *, local: bool) -> Iterator[None]:
        """For a client that sends sound.

        Raises:
            ApiError: 503: there are as many as may be.
        """
        most = self._service.config.limits.max_streams
        held = object()
        if not self._rounds.take(held, local=local):
            raise ApiError(
                503,
                "too_many_streams",
                f"{most} streams are open already: try again when one has ended, or raise limits.max_streams",
            )
        try:
            with self._service.telemetry.stream(TRANSPORT):
                yield
        finally:
            self._rounds.give_back(held)
