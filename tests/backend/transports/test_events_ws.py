"""The event server, asked by real WebSocket clients."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

import pytest
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.protocol import State

from rtap.bus import EventBus
from rtap.config import OutputConfig
from rtap.errors import TransportError
from rtap.events import State as PipelineState
from rtap.telemetry import Telemetry
from rtap.transports import events_ws
from rtap.transports.events_ws import EventsServer
from rtap.transports.schemas import Snapshot, TranscriptMessage
from tests.backend.transports.sample_events import EVENTS, FAILED, TRANSCRIPT
from tests.deadlines import SOON

FREE_PORT = OutputConfig(websocket_port=0)
KEY = "sécret key"
# In UTF-8, as curl sends it; the client library writes ISO 8859-1.
KEY_IN_HEADER = KEY.encode().decode("latin-1")
T = TypeVar("T")


def snapshot() -> BaseModel:
    return Snapshot(
        timestamp=1.0,
        state=PipelineState.IDLE,
        model="cabin-en",
        version="1.0",
        last_transcript=TranscriptMessage.model_validate(TRANSCRIPT),
    )


class Service:
    """A server and what it is connected to."""

    def __init__(self, config: OutputConfig, **settings: Any) -> None:
        self.bus = EventBus()
        self.telemetry = Telemetry()
        self.server = EventsServer(config, self.bus, snapshot, self.telemetry, **settings)

    def client(self, path: str = "/", **settings: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.server.port}{path}", proxy=None, **settings)

    def metric(self, name: str) -> float:
        (line,) = [
            line
            for line in self.telemetry.exposition().decode().splitlines()
            if line.startswith(name + "{")
        ]
        return float(line.split()[-1])


@asynccontextmanager
async def serving(config: OutputConfig = FREE_PORT, **settings: Any) -> AsyncIterator[Service]:
    service = Service(config, **settings)
    await service.server.start()
    try:
        yield service
    finally:
        await service.server.stop()


def run(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(test(), SOON))


async def receive(client: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await client.recv())
    return message


async def read_to_the_end(client: ClientConnection) -> NoReturn:
    while True:
        await client.recv()


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if happened():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not happen")


def test_a_snapshot_then_every_event() -> None:
    async def test() -> None:
        async with serving() as service, service.client() as client:
            first = await receive(client)
            assert first["type"] == "snapshot"
            assert first["state"] == "IDLE"
            assert first["last_transcript"]["text"] == TRANSCRIPT.text
            # As the pipeline does it: from another thread.
            for event in EVENTS.values():
                await asyncio.to_thread(service.bus.publish, event)
            received = [await receive(client) for _ in EVENTS]
            assert [message["type"] for message in received] == list(EVENTS)
            assert received[list(EVENTS).index("transcript")]["text"] == TRANSCRIPT.text
            assert service.metric("rtap_subscribers") == 1
            assert service.metric("rtap_events_sent_total") == len(EVENTS)

    run(test)


def test_all_clients_get_it() -> None:
    async def test() -> None:
        async with serving() as service, service.client() as one, service.client() as other:
            await receive(one)
            await receive(other)
            service.bus.publish(FAILED)
            assert (await receive(one)) == (await receive(other))

    run(test)


def test_a_client_that_left_costs_nothing() -> None:
    async def test() -> None:
        async with serving() as service:
            async with service.client() as client:
                await receive(client)
            await until(lambda: service.metric("rtap_subscribers") == 0)
            assert service.bus._subscriptions == ()
            service.bus.publish(FAILED)

    run(test)


@pytest.mark.parametrize("message", ["hello", "{", b"\x00\xff", "", "x" * 4_096])
def test_what_clients_say_is_ignored(message: str | bytes) -> None:
    async def test() -> None:
        async with serving() as service, service.client() as client:
            await receive(client)
            for _ in range(50):
                await client.send(message)
            service.bus.publish(FAILED)
            assert (await receive(client))["type"] == "error"

    run(test)


def test_too_large_a_message_closes() -> None:
    async def test() -> None:
        async with serving() as service, service.client() as client:
            await receive(client)
            await client.send("x" * 4_097)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    run(test)


async def connected_and_deaf(service: Service) -> ClientConnection:
    """A client that reads the snapshot, and afterwards only what it is asked for."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    wire.connect(("127.0.0.1", service.server.port))
    client = await service.client(sock=wire, max_queue=1, compression=None)
    assert (await receive(client))["type"] == "snapshot"
    return client


async def flood(service: Service) -> int:
    """Publish more than the buffers on the way hold; returns how many events."""
    count = 0
    large = "x" * 10_000
    while dropped_by(service.bus) < 10:
        for _ in range(5):
            service.bus.publish(replace(FAILED, stage=str(count), message=large))
            count += 1
        await asyncio.sleep(0)
    return count


def dropped_by(bus: EventBus) -> int:
    return sum(one.dropped for one in bus._subscriptions)


def test_a_slow_client_is_told_how_much_it_missed() -> None:
    async def test() -> None:
        async with serving(capacity=8) as service:
            client = await connected_and_deaf(service)
            published = await flood(service)
            received: list[int] = []
            dropped = 0
            while not received or received[-1] != published - 1:
                message = await receive(client)
                if message["type"] == "dropped":
                    dropped += message["count"]
                else:
                    received.append(int(message["stage"]))
            assert dropped >= 10
            assert len(received) + dropped == published
            assert received == sorted(received)
            assert received[-8:] == list(range(published - 8, published))
            assert service.metric("rtap_events_dropped_total") == dropped
            await client.close()

    run(test)


def test_a_client_that_does_not_read_is_closed() -> None:
    async def test() -> None:
        async with serving(capacity=8, ping_interval=0.01, patience=0.05) as service:
            client = await connected_and_deaf(service)
            await flood(service)
            (connection,) = service.server._clients
            await until(lambda: connection.state is not State.OPEN)
            with pytest.raises(ConnectionClosed) as closed:
                await read_to_the_end(client)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013

    run(test)


def test_a_client_that_never_reads_again_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_ws, "_CLOSE_SECONDS", 0.05)

    async def test() -> None:
        async with serving(capacity=8, ping_interval=0.01, patience=0.05) as service:
            client = await connected_and_deaf(service)
            await flood(service)
            await until(lambda: service.metric("rtap_subscribers") == 0)
            client.transport.abort()

    run(test)


def test_a_client_that_reads_is_kept_however_quiet_it_is() -> None:
    async def test() -> None:
        async with (
            serving(ping_interval=0.01, patience=0.5) as service,
            service.client() as client,
        ):
            await receive(client)
            (connection,) = service.server._clients
            latencies = {0.0}
            while len(latencies) < 4:  # three pings were answered
                latencies.add(connection.latency)
                await asyncio.sleep(0.005)
            service.bus.publish(FAILED)
            assert (await receive(client))["type"] == "error"

    run(test)


def test_stop_says_goodbye_and_frees_the_port() -> None:
    async def test() -> None:
        async with serving() as service:
            client = await service.client()
            await receive(client)
            await service.server.stop()
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            again = replace(FREE_PORT, websocket_port=service.server.port)
            async with serving(again) as other:
                assert other.server.port == service.server.port

    run(test)


def test_stop_waits_for_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_ws, "_CLOSE_SECONDS", 0.1)

    async def test() -> None:
        async with serving(capacity=8) as service:
            client = await connected_and_deaf(service)
            await flood(service)
            begin = time.monotonic()
            await service.server.stop()
            assert time.monotonic() - begin < SOON  # a full buffer would be waited for for ever
            client.transport.abort()

    run(test)


def test_stop_without_start() -> None:
    run(Service(FREE_PORT).server.stop)


def test_port_in_use() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            service = Service(replace(FREE_PORT, websocket_port=port))
            with pytest.raises(
                TransportError, match=rf"port {port} .*in use.*output\.websocket_port"
            ):
                await service.server.start()
            await service.server.stop()

    run(test)


def status_of(config: OutputConfig, path: str = "/", **settings: Any) -> int:
    """101, or the status that the handshake was refused with."""

    async def test() -> Response | None:
        async with serving(config) as service:
            try:
                async with service.client(path, **settings) as client:
                    await receive(client)
                    return None
            except InvalidStatus as refused:
                return refused.response

    response = run(test)
    if response is None:
        return 101
    assert response.headers["Content-Type"] == "application/json"
    assert response.body is not None
    assert json.loads(response.body)["error"]["message"]
    return response.status_code


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 401),
        ("/", {"X-API-Key": "wrong"}, 401),
        ("/?api_key=wrong", {}, 401),
        ("/?api_key=", {}, 401),
        ("//[broken", {}, 401),
        ("/", {"Authorization": f"Basic {KEY_IN_HEADER}"}, 401),
        ("/", {"X-API-Key": KEY_IN_HEADER}, 101),
        ("/", {"X-API-Key": KEY}, 101),  # from a client that writes ISO 8859-1
        ("/", {"Authorization": f"Bearer {KEY_IN_HEADER}"}, 101),
        ("/", {"Authorization": f"bearer {KEY_IN_HEADER}"}, 101),
        ("/?api_key=s%C3%A9cret%20key", {}, 101),
        ("/?api_key=s%C3%A9cret+key", {"Origin": "http://elsewhere.example"}, 101),
    ],
)
def test_api_key(path: str, headers: dict[str, str], status: int) -> None:
    config = replace(FREE_PORT, api_key=KEY)
    assert status_of(config, path, additional_headers=headers) == status


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://localhost:8000", None, 101),
        ("http://127.0.0.1", None, 101),
        ("http://[::1]:3000", None, 101),
        ("http://app.localhost", None, 101),
        ("http://evil.example", None, 403),
        ("http://evil.example", "evil.example:5802", 403),  # its name resolves to this machine
        ("http://localhost.evil.example", None, 403),
        ("http://192.168.1.7", None, 403),
        ("http://192.168.1.7:8000", "192.168.1.7:5802", 101),
        ("null", None, 403),
        ("http://[broken", None, 403),
    ],
)
def test_origins_without_a_key(origin: str, host: str | None, status: int) -> None:
    headers = {"Origin": origin} | ({"Host": host} if host else {})
    assert status_of(FREE_PORT, additional_headers=headers) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:5802", 101), ("192.0.2.7", 101), ("car.lan", 101), ("evil.example:5802", 403)],
)
def test_names_without_a_key(host: str, status: int) -> None:
    config = replace(FREE_PORT, allowed_hosts=("car.lan",))
    assert status_of(config, additional_headers={"Host": host}) == status


def test_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_ws, "MAX_CLIENTS", 1)

    async def test() -> None:
        async with serving() as service, service.client() as client:
            await receive(client)
            with pytest.raises(InvalidStatus, match="503"):
                await service.client()

    run(test)


def test_an_event_that_is_no_message_is_passed_over() -> None:
    async def test() -> None:
        async with serving() as service, service.client() as client:
            await receive(client)
            service.bus.publish(replace(TRANSCRIPT, source="nowhere"))  # type: ignore[arg-type]
            service.bus.publish(TRANSCRIPT)
            assert (await receive(client))["source"] == "microphone"
            assert service.metric("rtap_errors_total") == 1

    run(test)
