"""The connections of the HTTP servers, each bounded in bytes and in time.

uvicorn's own answer pings for as long as pings come, whether anybody reads the answers or not, and wait for
ever for a request that was begun.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from rtap.addresses import is_loopback
from rtap.transports.admission.inflow import Deadline, Inflow
from rtap.transports.api_errors import ApiError, error_document

if TYPE_CHECKING:
    import h11
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
    from websockets.frames import Frame

HEADER_SECONDS: Final = 10.0
"""For a client to send the head of a request, from its first byte or from the connection on."""
STUCK_SECONDS: Final = 30.0
"""For a client to read something, when as much as may wait for it does wait."""
CLOSE_SECONDS: Final = 5.0
"""For a client to answer the goodbye of a WebSocket."""
LEAVING_SECONDS: Final = 15.0
"""For a client to take the last bytes of a connection that is being closed."""
SEND_BUFFER_BYTES: Final = 64 * 1_024
LOCAL_CONNECTIONS: Final = 4
"""Kept for clients on this machine: its screen, and who looks after the service."""


def limit_send_buffer(transport: asyncio.Transport) -> None:
    """Let what a client does not read wait in our bounded queues, and not in the kernel's megabytes."""
    wire: socket.socket | None = transport.get_extra_info("socket")
    if wire is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, not read while the client does not read, and cut off when that does not end."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.close_timeout = CLOSE_SECONDS
        self._inflow: Inflow | None = None
        self._fragments = bytearray()
        self._stuck = Deadline(self.loop, STUCK_SECONDS, self._abort)
        self._leaving = Deadline(self.loop, LEAVING_SECONDS, self._abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        super().connection_made(transport)
        limit_send_buffer(self.transport)
        self._inflow = Inflow(self.transport, self.loop, super().data_received, self._is_blocked)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stuck.cancel()
        self._leaving.cancel()
        if self._inflow is not None:
            self._inflow.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        assert self._inflow is not None
        if self.handshake_initiated:
            self._inflow.add(data)
        else:
            super().data_received(data)  # the request, which HTTP's limit has passed

    def pause_writing(self) -> None:
        """As much waits for the client as may."""
        super().pause_writing()
        self._stuck.start()
        self._proceed()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._stuck.cancel()
        self._proceed()

    def keepalive_timeout(self) -> None:
        """The client does not answer; what is left for it may never be taken."""
        super().keepalive_timeout()
        self._leaving.start()

    def handle_ping(self) -> None:
        """Answer, unless nobody is there any more."""
        if self.transport.is_closing():
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def handle_close(self, event: Frame) -> None:
        """The client closes."""
        super().handle_close(event)
        self._leaving.start()

    def handle_cont(self, event: Frame) -> None:
        """More of a message. In one piece, for there may be any number of fragments without a byte."""
        self._fragments += self.frames.pop() if self.frames else b""
        self._fragments += event.data
        if event.fin:
            self.frames = [bytes(self._fragments)]
            self._fragments.clear()
            self.send_receive_event_to_app()

    async def send(self, message: ASGISendEvent) -> None:
        """For the application."""
        await super().send(message)
        if self.close_sent:
            self._leaving.start()
            self._proceed()

    async def receive(self) -> ASGIReceiveEvent:
        """For the application."""
        message = await super().receive()
        self._proceed()
        return message

    def _is_blocked(self) -> bool:
        return self.read_paused or not self.writable.is_set()

    def _proceed(self) -> None:
        if self._inflow is not None:
            self._inflow.proceed()

    def _abort(self) -> None:
        self.transport.abort()


class BoundedHttp(H11Protocol):
    """uvicorn's HTTP connection, with deadlines, and one of a bounded number.

    ``limit_concurrency`` of its configuration is how many there may be. At the bound, the one that has waited
    longest for a request gives its place up; where all are at work, the new one is refused.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._most = self.limit_concurrency
        self.limit_concurrency = None  # uvicorn would count again, and answer in plain text
        self._header = Deadline(self.loop, HEADER_SECONDS, self._too_slow)
        self._stuck = Deadline(self.loop, STUCK_SECONDS, self._abort)
        self.waiting_since = self.loop.time()
        """When it began to wait for a request, in the loop's seconds."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is no request to be answered."""
        # uvicorn says that there is always one.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is there."""
        super().connection_made(transport)
        if self._most is not None and not self._has_place(self._most):
            self._refuse(
                ApiError(503, "too_many_connections", "too many connections are open: close some")
            )
            return
        self._header.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._header.cancel()
        self._stuck.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        if not self.is_waiting or self.transport.is_closing():
            self._header.cancel()
        elif self.transport.get_protocol() is self:
            self._header.start()

    def on_response_complete(self) -> None:
        """The request is answered."""
        self.waiting_since = self.loop.time()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """It is another protocol's from now on."""
        self._header.cancel()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """As much waits for the client as may."""
        super().pause_writing()
        self._stuck.start()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._stuck.cancel()

    def give_way(self) -> None:
        """Close, for another connection."""
        self._abort()

    def _has_place(self, most: int) -> bool:
        """Whether it may stay; makes room where that is possible."""
        if self.client is None or not is_loopback(self.client[0]):
            most = max(1, most - LOCAL_CONNECTIONS)
        if len(self.connections) <= most:
            return True
        others: Iterable[object] = (one for one in self.connections if one is not self)
        waiting = [one for one in others if isinstance(one, BoundedHttp) and one.is_waiting]
        if not waiting:
            return False
        longest = min(waiting, key=lambda one: one.waiting_since)
        self.connections.discard(longest)
        longest.give_way()
        return True

    def _too_slow(self) -> None:
        self._refuse(
            ApiError(
                408,
                "too_slow",
                f"the head of a request did not come within {HEADER_SECONDS:.0f} s: send it again",
            )
        )

    def _refuse(self, error: ApiError) -> None:
        """Say why, as far as that is still possible, and close."""
        body = error_document(error, None).model_dump_json().encode()
        head = (
            f"HTTP/1.1 {error.status} Refused\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        self._stuck.start()

    def _abort(self) -> None:
        self.transport.abort()


HTTP_SETTINGS: Final[dict[str, Any]] = {"http": BoundedHttp, "ws": BoundedWebSocket}
"""What uvicorn must be told for these to be used."""
