"""Port 5802: what happens, as it happens, for browsers and the GUI. One JSON object per WebSocket message.

A client gets a snapshot first and then every event. It sends nothing; what it does send is ignored.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from pydantic import BaseModel
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from rtap import logs
from rtap.bus import DEFAULT_CAPACITY, EventBus, Subscription
from rtap.config import OutputConfig
from rtap.errors import TransportError
from rtap.events import Event
from rtap.telemetry import Telemetry
from rtap.transports.admission.access import check_page, knows_key
from rtap.transports.admission.connections import limit_send_buffer
from rtap.transports.admission.inflow import Inflow
from rtap.transports.api_errors import ApiError, error_document
from rtap.transports.schemas import DroppedMessage, event_message

_log = logs.get("events")

MAX_CLIENTS: Final = 64
MAX_MESSAGE_BYTES: Final = 4_096
"""A client that sends more at once is closed with 1009."""

_TRANSPORT: Final = "websocket"
_OPEN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0
"""How long a client may take to say goodbye."""


class _Connection(ServerConnection):
    """One that is not read while its client does not read: the answers to pings would pile up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        super().connection_made(transport)
        limit_send_buffer(self.transport)
        self._inflow = Inflow(
            self.transport,
            self.loop,
            super().data_received,
            lambda: self.paused or self.recv_messages.paused,
        )
        self.recv_messages.pause = self.recv_messages.resume = self._inflow.proceed

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._inflow.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._inflow.add(data)

    def send_data(self) -> None:
        """Write, unless nobody is there any more."""
        if self.transport.is_closing():
            self.protocol.data_to_send()
        else:
            super().send_data()

    def pause_writing(self) -> None:
        """As much waits for the client as may. Where that lasts, no ping of ours is answered."""
        super().pause_writing()
        self._inflow.proceed()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._inflow.proceed()


class EventsServer:
    """Serves events in the event loop that :meth:`start` is called in. Started and stopped once.

    Args:
        snapshot: how things stand; the first message of every client. Must return at once.
        patience: seconds after which a client that does not read is closed with 1013.
        ping_interval: seconds between two pings.
        capacity: events that wait for one client before the oldest is dropped.
    """

    def __init__(
        self,
        config: OutputConfig,
        bus: EventBus,
        snapshot: Callable[[], BaseModel],
        telemetry: Telemetry,
        *,
        patience: float = 30.0,
        ping_interval: float = 20.0,
        capacity: int = DEFAULT_CAPACITY,
    ) -> None:
        self._config = config
        self._bus = bus
        self._snapshot = snapshot
        self._telemetry = telemetry
        self._patience = patience
        self._ping_interval = ping_interval
        self._capacity = capacity
        self._server: Server | None = None
        self._clients: set[ServerConnection] = set()
        self.port = 0
        """The port in use, from :meth:`start` on."""

    async def start(self) -> None:
        """Listen.

        Raises:
            TransportError: the port is in use or not ours, or the host has no such address.
        """
        config = self._config
        try:
            self._server = await serve(
                self._handle,
                config.host,
                config.websocket_port,
                process_request=self._admit,
                create_connection=_Connection,
                max_size=MAX_MESSAGE_BYTES,
                compression=None,  # the messages are small, and memory is dear
                ping_interval=None,  # see _watch
                close_timeout=_CLOSE_SECONDS,
                open_timeout=_OPEN_SECONDS,
            )
        except OSError as error:
            raise TransportError(
                f"events cannot be served on {config.host} port {config.websocket_port} "
                f"({error.strerror}): stop the program that listens there, or change "
                f"output.host or output.websocket_port"
            ) from error
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close all clients with 1001, those that do not answer by force, and the port."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await server.wait_closed()
        for connection in self._clients:
            connection.transport.abort()
        await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a client before the handshake, or let it in."""
        if self._config.api_key:
            if not _knows(self._config.api_key, request):
                return _refuse(
                    connection,
                    HTTPStatus.UNAUTHORIZED,
                    "unauthorized",
                    "send the API key as Authorization: Bearer, as X-API-Key or as ?api_key=",
                )
        else:
            headers = request.headers
            try:
                check_page(headers.get_all("Host"), headers.get_all("Origin"), self._config)
            except ApiError as error:
                return _refuse(connection, HTTPStatus(error.status), error.code, str(error))
        if len(self._clients) >= MAX_CLIENTS:
            return _refuse(
                connection,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too_many_clients",
                f"{MAX_CLIENTS} clients are connected: close one",
            )
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()

        def wake_up() -> None:
            loop.call_soon_threadsafe(ready.set)

        self._clients.add(connection)
        try:
            with (
                self._telemetry.subscriber(_TRANSPORT),
                self._bus.subscribe(wake_up, self._capacity, levels=True) as subscription,
            ):
                await self._serve(connection, subscription, ready)
        finally:
            self._clients.discard(connection)

    async def _serve(
        self, connection: ServerConnection, subscription: Subscription, ready: asyncio.Event
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._send_events(connection, subscription, ready)),
                    group.create_task(self._watch(connection)),
                ]
                async for _ in connection:
                    pass
                for task in tasks:
                    task.cancel()
        except* ConnectionClosed:
            pass

    async def _send_events(
        self, connection: ServerConnection, subscription: Subscription, ready: asyncio.Event
    ) -> None:
        await connection.send(self._snapshot().model_dump_json())
        told = 0
        while True:
            await ready.wait()
            ready.clear()
            events = subscription.take()
            dropped = subscription.dropped - told
            if dropped:
                told += dropped
                self._telemetry.events_dropped(_TRANSPORT, dropped)
                message = DroppedMessage(timestamp=time.time(), count=dropped)
                await connection.send(message.model_dump_json())
            for event in events:
                text = self._encode(event)
                if text is not None:
                    await connection.send(text)
                    self._telemetry.events_sent(_TRANSPORT)

    def _encode(self, event: Event) -> str | None:
        try:
            return event_message(event).model_dump_json()
        except (
            ValueError
        ) as error:  # one event that is no valid message costs no client its connection
            self._telemetry.error(_TRANSPORT, type(error).__name__)
            _log.error("an event was not sent", event_type=type(event).__name__, exc_info=error)
            return None

    async def _watch(self, connection: ServerConnection) -> None:
        """Close a client that does not read: whoever answers a ping has read all that came before it."""
        while True:
            await asyncio.sleep(self._ping_interval)
            try:
                async with asyncio.timeout(self._patience):
                    await (await connection.ping())
            except TimeoutError:
                break
        _log.warning("a client did not read and is closed", seconds=self._patience)
        try:
            # Its buffer may be full, and then the close frame waits for room.
            async with asyncio.timeout(_CLOSE_SECONDS):
                await connection.close(CloseCode.TRY_AGAIN_LATER, "read faster, or subscribe again")
        except TimeoutError:
            connection.transport.abort()


def _refuse(connection: ServerConnection, status: HTTPStatus, code: str, message: str) -> Response:
    reply = error_document(ApiError(status, code, message), None)
    response = connection.respond(status, reply.model_dump_json())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _knows(api_key: str, request: Request) -> bool:
    """Whether a client has the key. Browsers cannot set headers here, so it may stand in the address."""
    query = parse_qs(request.path.partition("?")[2])
    keys = [*request.headers.get_all("X-API-Key"), *query.get("api_key", ())]
    return knows_key(api_key, request.headers.get_all("Authorization"), keys)
