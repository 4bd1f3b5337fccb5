"""rtap.transports.stream.client: a client that reads slowly, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
from fastapi import WebSocketDisconnect

from rtap.config import Config
from rtap.transports.admission.websocket_refusals import close_reason
from rtap.transports.schemas import StreamConfig
from rtap.transports.stream import client as stream_client
from rtap.transports.stream.client import StreamClient
from rtap.transports.stream.outbox import Outbox
from tests.backend.transports.sample_events import PARTIAL
from tests.backend.transports.scripted_service import ScriptedService, scripted_service, tone
from tests.backend.transports.serving import wait_until_still
from tests.deadlines import SOON

UTTERANCE = np.concatenate([tone(2.0), np.zeros(10_000, np.float32)]).astype("<f4").tobytes()


class SlowSocket:
    """A WebSocket whose client reads when ``reads`` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.gone = False

    def say(self, data: bytes | str) -> None:
        kind = "bytes" if isinstance(data, bytes) else "text"
        self.incoming.put_nowait({"type": "websocket.receive", kind: data})

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        if self.gone:
            raise WebSocketDisconnect(1006)
        self.sent.append(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with scripted_service(Config()) as one:
        yield one


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as one:
        yield one


@pytest.fixture(autouse=True)
def small_outbox(monkeypatch):
    monkeypatch.setattr(stream_client, "Outbox", partial(Outbox, capacity=4))


def client_of(
    socket: SlowSocket, service: ScriptedService, pool: ThreadPoolExecutor
) -> StreamClient:
    return StreamClient(socket, service, pool, StreamConfig(), service.options())  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 (what changes is in other threads)
            await asyncio.sleep(0.002)


def test_who_reads_nothing_is_not_listened_to_and_loses_no_final(service, pool):
    async def talk() -> SlowSocket:
        socket = SlowSocket()
        client = client_of(socket, service, pool)
        running = asyncio.create_task(client.run())
        for _ in range(12):
            socket.say(UTTERANCE)
        socket.say('{"type":"end"}')
        await until(lambda: client._outbox.is_full)
        for _ in range(20):
            client._publish(PARTIAL)
        await asyncio.to_thread(wait_until_still, lambda: service.sessions[0]._received)
        # Two messages of each utterance fill it; what is beyond that was under way already.
        assert service.sessions[0]._received < 10 * len(UTTERANCE) // 4
        assert socket.sent == []
        socket.reads.set()
        await asyncio.wait_for(running, SOON)
        return socket

    socket = asyncio.run(talk())
    kinds = [message["type"] for message in socket.sent]
    assert kinds.count("final") == 12
    assert kinds[-1] == "end"
    assert socket.closed == (1000, "")
    metrics = service.telemetry.exposition().decode()
    assert 'rtap_events_dropped_total{transport="stream"}' in metrics


def test_who_never_reads_again_is_given_up(service, pool, monkeypatch):
    monkeypatch.setattr(stream_client, "_GOODBYE_SECONDS", 0.02)

    async def talk() -> SlowSocket:
        socket = SlowSocket()
        for _ in range(5):
            socket.say(b"odd")
        await asyncio.wait_for(client_of(socket, service, pool).run(), SOON)
        return socket

    socket = asyncio.run(talk())
    assert socket.closed is not None
    assert socket.closed[0] == 1007


def test_who_is_gone_when_something_is_sent_is_released(service, pool):
    async def talk() -> None:
        socket = SlowSocket()
        running = asyncio.create_task(client_of(socket, service, pool).run())
        socket.say(UTTERANCE)
        await until(lambda: service.engine.utterances > 0)
        socket.gone = True
        socket.reads.set()
        await asyncio.wait_for(running, SOON)
        assert socket.closed is None

    asyncio.run(talk())
    (session,) = service.sessions
    assert session._closed


@pytest.mark.parametrize("message", ["", "short", "x" * 500, "é" * 500, "🙂" * 100])
def test_a_reason_fits_into_a_close_frame(message):
    reason = close_reason(message)
    assert len(reason.encode()) <= 123
    assert message.startswith(reason)
    assert reason or not message
