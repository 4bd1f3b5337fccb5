"""What one connection may hold, and for how long."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, suppress

import pytest

from rtap.config import Config, OutputConfig
from rtap.transports.admission import connections
from rtap.transports.admission.inflow import SLICE, Inflow
from rtap.transports.rest import uploads
from rtap.transports.stream import client as stream_client
from tests.backend.transports.raw_websocket import (
    BINARY,
    CONTINUATION,
    PING,
    TEXT,
    RawWebSocket,
    frame,
)
from tests.backend.transports.serving import serving
from tests.backend.transports.test_events_ws import Service
from tests.deadlines import SOON

MEGABYTE = 1 << 20
PINGS = frame(PING, bytes(125)) * 500
MOST = 64 * MEGABYTE
"""Far more than the kernel's buffers and the service's take."""


@pytest.mark.parametrize("flood", [PINGS, frame(TEXT, b"{garbage") * 4_000])
def test_a_flood_of_which_no_answer_is_read_is_cut_off(monkeypatch, flood):
    monkeypatch.setattr(connections, "STUCK_SECONDS", 0.2)
    monkeypatch.setattr(connections, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(stream_client, "_GOODBYE_SECONDS", 0.2)
    with serving(Config()) as server, RawWebSocket(server.port, "/stream") as client:
        client.send_until_cut_off(flood, MOST)


def test_a_flood_of_pings_for_events_is_cut_off():
    async def test() -> None:
        config = OutputConfig(websocket_port=0)
        service = Service(config, patience=0.2, ping_interval=0.1)
        await service.server.start()
        try:
            await asyncio.to_thread(flood, service.server.port)
        finally:
            await service.server.stop()

    def flood(port: int) -> None:
        with RawWebSocket(port) as client:
            client.send_until_cut_off(PINGS, MOST)

    asyncio.run(asyncio.wait_for(test(), SOON))


def test_who_reads_late_gets_every_answer():
    with serving(Config()) as server, RawWebSocket(server.port, "/stream") as client:
        client.socket.settimeout(None)
        sender = threading.Thread(target=client.socket.sendall, args=(PINGS * 20,))
        sender.start()
        wanted = PINGS.count(frame(PING, bytes(125))) * 20 * (2 + 125)
        received = 0
        client.socket.settimeout(SOON)
        while received < wanted:
            received += len(client.socket.recv(1 << 16))
        sender.join()


def test_a_message_in_many_pieces_arrives_whole():
    with serving(Config()) as server, RawWebSocket(server.port, "/stream") as client:
        text = b'{"type":"end"}'
        pieces = [frame(CONTINUATION, text[i : i + 1], fin=False) for i in range(1, len(text))]
        empty = frame(CONTINUATION, fin=False) * 300
        client.socket.sendall(
            frame(TEXT, text[:1], fin=False) + empty.join(pieces) + frame(CONTINUATION)
        )
        received = b""
        while b'"end"' not in received:
            received += client.socket.recv(1 << 16)


def test_fragments_without_a_byte_are_not_kept(monkeypatch):
    held: list[int] = []
    original = connections.BoundedWebSocket.handle_cont

    def counted(self, event):
        original(self, event)
        held.append(len(self.frames) + len(self._fragments))

    monkeypatch.setattr(connections.BoundedWebSocket, "handle_cont", counted)
    with serving(Config()) as server, RawWebSocket(server.port, "/stream") as client:
        client.socket.sendall(
            frame(BINARY, b"", fin=False) + frame(CONTINUATION, fin=False) * 5_000
        )
        client.socket.sendall(frame(CONTINUATION, bytes(4)))
        client.socket.sendall(frame(TEXT, b'{"type":"end"}'))
        received = b""
        while b'"end"' not in received:
            received += client.socket.recv(1 << 16)
    assert max(held) <= 4


def test_frames_of_one_connection_leave_turns_to_others():
    """A packet full of frames is taken apart in several turns of the loop."""
    parsed: list[int] = []

    async def test() -> None:
        loop = asyncio.get_running_loop()
        transport = Transport()
        inflow = Inflow(transport, loop, lambda part: parsed.append(len(part)), lambda: False)
        inflow.add(bytes(3 * SLICE + 1))
        assert parsed == [SLICE]
        assert not transport.reads
        await asyncio.sleep(0)
        assert parsed == [SLICE] * 2
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert parsed == [SLICE] * 3 + [1]
        assert transport.reads

    asyncio.run(test())


def test_nothing_is_parsed_while_it_is_blocked():
    parsed: list[int] = []
    blocked = [True]

    async def test() -> None:
        transport = Transport()
        inflow = Inflow(
            transport,
            asyncio.get_running_loop(),
            lambda part: parsed.append(len(part)),
            lambda: blocked[0],
        )
        inflow.add(bytes(10))
        assert not transport.reads
        assert not parsed
        blocked[0] = False
        inflow.proceed()
        await asyncio.sleep(0)
        assert parsed == [10]
        assert transport.reads

    asyncio.run(test())


class Transport(asyncio.Transport):
    """Notes whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


# ---- HTTP


REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("beginning", [b"", b"G", REQUEST[:-2]])
def test_half_a_request_is_not_waited_for(monkeypatch, beginning):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)
    with serving(Config()) as server, connected(server.port) as client:
        client.sendall(beginning)
        received = read_to_the_end(client)
    assert received.startswith(b"HTTP/1.1 408")
    assert b"too_slow" in received


def test_half_a_second_request_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    with serving(Config()) as server, connected(server.port) as client:
        client.sendall(REQUEST)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        client.sendall(REQUEST[:-2])
        assert b"too_slow" in read_to_the_end(client)


def test_a_slow_body_is_not_a_slow_head(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(uploads, "_STALLED_SECONDS", 1.0)
    with serving(Config()) as server, connected(server.port) as client:
        client.sendall(UPLOAD)
        received = b""
        # Its head may come alone.
        while b"upload_stalled" not in received:
            block = client.recv(1 << 16)
            assert block, received
            received += block


def test_an_upload_that_is_too_slow_loses_its_place(monkeypatch):
    monkeypatch.setattr(uploads, "_GRACE_SECONDS", 0.2)
    with serving(Config()) as server, connected(server.port) as client:
        client.sendall(UPLOAD + PART)
        client.settimeout(0.01)
        received = b""
        for _ in range(1_000):  # a byte now and then: it never stalls
            client.sendall(b"x")
            with suppress(TimeoutError):
                received += client.recv(1 << 16)
            if received:
                break
        assert received.startswith(b"HTTP/1.1 408")


def test_who_waits_gives_way_to_who_comes():
    with serving(Config(), limit_concurrency=6) as server, ExitStack() as stack:
        idle = [stack.enter_context(connected(server.port)) for _ in range(6)]
        for _ in range(4):
            client = stack.enter_context(connected(server.port))
            client.sendall(REQUEST)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        # Those that came first went first.
        assert read_to_the_end(idle[0]) == b""


def test_one_too_many_is_told_so_where_all_are_at_work():
    with serving(Config(), limit_concurrency=2) as server, ExitStack() as stack:
        for _ in range(2):
            busy = stack.enter_context(connected(server.port))
            busy.sendall(UPLOAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            assert busy.recv(1 << 16).startswith(b"HTTP/1.1 100")
        with connected(server.port) as client:
            received = read_to_the_end(client)
        assert received.startswith(b"HTTP/1.1 503")
        assert b"too_many_connections" in received


def test_places_are_kept_for_this_machine(monkeypatch):
    with serving(Config(), limit_concurrency=6) as server, ExitStack() as stack:
        monkeypatch.setattr(connections, "is_loopback", lambda _: False)
        for _ in range(2):
            busy = stack.enter_context(connected(server.port))
            busy.sendall(UPLOAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            assert busy.recv(1 << 16).startswith(b"HTTP/1.1 100")
        with connected(server.port) as client:
            assert b"too_many_connections" in read_to_the_end(client)
        monkeypatch.setattr(connections, "is_loopback", lambda _: True)
        with connected(server.port) as client:
            client.sendall(REQUEST)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")


UPLOAD = (
    b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 1000000\r\n\r\n"
)


PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def read_to_the_end(client: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while more := client.recv(1 << 16):
            received += more
    return received
