"""A scripted service behind a real Wyoming port, and the package's own client of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from wyoming.asr import Transcribe
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.pcm16 import to_pcm16
from rtap.config import Config, LimitsConfig, OutputConfig
from rtap.transports.wyoming.package import AudioChunk, AudioStart, AudioStop
from rtap.transports.wyoming.server import WyomingServer
from tests.backend.transports.scripted_service import ScriptedService, scripted_service
from tests.deadlines import SOON

FREE_PORT = OutputConfig(wyoming_port=0)
CONFIG = Config(output=FREE_PORT)
SILENCE = np.zeros(SAMPLE_RATE, np.float32)
"""Long enough to part two utterances."""
T = TypeVar("T")


class Served:
    """A server and what it is connected to."""

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        self.server = WyomingServer(service)

    def client(self) -> AsyncTcpClient:
        return AsyncTcpClient("127.0.0.1", self.server.port, read_timeout=SOON)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    def metric(self, line: str) -> bool:
        return line in self.service.telemetry.exposition().decode()


@asynccontextmanager
async def serving(config: Config = CONFIG, *, start: bool = True) -> AsyncIterator[Served]:
    with scripted_service(config, start=start) as service:
        served = Served(service)
        await served.server.start()
        try:
            yield served
        finally:
            service.engine.gate.set()
            await served.server.stop()
            assert served.server.open_clients == 0


def limited(**limits: int) -> Config:
    return replace(CONFIG, limits=LimitsConfig(**limits))


def run(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(test(), SOON))


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not happened():  # noqa: ASYNC110 (what changes is in other threads)
            await asyncio.sleep(0.002)


async def send(client: AsyncTcpClient, *messages: Eventable) -> None:
    for message in messages:
        await client.write_event(message.event())


async def say(
    client: AsyncTcpClient,
    samples: Samples,
    request: Eventable | None = None,
    *,
    end: bool = True,
    chunk: int = 1_600,
) -> None:
    """Send sound as Home Assistant does: 16 kHz, 16 bit, mono."""
    await send(client, request or Transcribe(), AudioStart(SAMPLE_RATE, 2, 1))
    await send(client, *chunks(samples, chunk))
    if end:
        await send(client, AudioStop())


def chunks(samples: Samples, size: int = 1_600) -> list[AudioChunk]:
    return [
        AudioChunk(SAMPLE_RATE, 2, 1, to_pcm16(samples[begin : begin + size]).tobytes())
        for begin in range(0, samples.size, size)
    ]


def text_of(seconds: float) -> str:
    """What the scripted engine makes of a tone; it hears the moment of silence that is put before it."""
    return f"somebody spoke for {seconds + 0.2:.1f} seconds"


async def receive(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    assert event is not None, "the connection was closed"
    return event


async def receive_until(client: AsyncTcpClient, last: str) -> list[Event]:
    events = [await receive(client)]
    while events[-1].type != last:
        assert events[-1].type != "error", events[-1].data
        events.append(await receive(client))
    return events


async def error_of(client: AsyncTcpClient) -> Error:
    while not Error.is_type((event := await receive(client)).type):
        pass
    return Error.from_event(event)
