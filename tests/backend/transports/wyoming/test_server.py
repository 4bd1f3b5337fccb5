"""rtap.transports.wyoming.server: the port, its limits and its end."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from rtap.config import OutputConfig
from rtap.errors import ConfigurationError, TransportError
from rtap.transports.wyoming import server as wyoming
from rtap.transports.wyoming.package import Describe, Detect
from rtap.transports.wyoming.server import WyomingServer
from tests.backend.transports.scripted_service import ScriptedService, tone
from tests.backend.transports.wyoming.wyoming_serving import (
    CONFIG,
    FREE_PORT,
    error_of,
    receive,
    receive_until,
    run,
    say,
    send,
    serving,
    text_of,
    until,
)
from tests.deadlines import SOON


def test_port_in_use() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            output = replace(FREE_PORT, wyoming_port=port)
            server = WyomingServer(ScriptedService(replace(CONFIG, output=output)))
            with pytest.raises(
                TransportError, match=rf"port {port} .*in use.*output\.wyoming_port"
            ):
                await server.start()
            await server.stop()

    run(test)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(host: str) -> None:
    async def test() -> None:
        output = replace(FREE_PORT, wyoming_host=host)
        server = WyomingServer(ScriptedService(replace(CONFIG, output=output)))
        with pytest.raises(TransportError, match=rf"on {host} .*change output\.wyoming_host"):
            await server.start()

    run(test)


def test_stop_without_start() -> None:
    run(WyomingServer(ScriptedService(CONFIG)).stop)


def test_the_address_is_its_own() -> None:
    async def test() -> None:
        output = OutputConfig(host="127.0.0.1", wyoming_host="127.0.0.2", wyoming_port=0)
        async with serving(replace(CONFIG, output=output)) as served:
            reader, writer = await asyncio.open_connection("127.0.0.2", served.server.port)
            writer.write(b'{"type": "describe"}\n')
            assert b"info" in await reader.readline()
            writer.close()
            with pytest.raises(OSError, match=r"refused|failed"):
                await served.raw()

    run(test)


def test_stop_closes_everything_and_frees_the_port() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as idle, served.client() as busy:
            await say(busy, tone(0.5), Detect(), end=False)
            await send(idle, Describe())
            await receive(idle)
            await until(lambda: served.metric('rtap_streams_open{transport="wyoming"} 1.0'))
            await served.server.stop()
            assert served.server.open_clients == 0
            assert served.metric('rtap_streams_open{transport="wyoming"} 0.0')
            again = replace(FREE_PORT, wyoming_port=served.server.port)
            async with serving(replace(CONFIG, output=again)) as other:
                assert other.server.port == served.server.port

    run(test)


def test_stop_waits_for_an_answer_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming, "_ANSWER_SECONDS", 60)  # no longer than the answer takes

    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.engine.gate.clear()
            await say(client, tone(1.0))
            await until(served.service.engine.asked.is_set)
            await until(lambda: any(one._is_answering for one in served.server._clients.values()))
            stopping = asyncio.create_task(served.server.stop())
            await asyncio.sleep(0)
            served.service.engine.gate.set()
            events = await receive_until(client, "transcript-stop")
            assert events[-2].data["text"] == text_of(1.0)
            assert await client.read_event() is None
            await client.disconnect()
            await stopping

    run(test)


def test_stop_waits_for_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming, "_ANSWER_SECONDS", 0.1)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.engine.gate.clear()
            await say(client, tone(1.0))
            await until(served.service.engine.asked.is_set)
            await until(lambda: any(one._is_answering for one in served.server._clients.values()))
            begin = time.monotonic()
            # The session gives the model's answer up, so that its thread need not be waited for.
            stopping = asyncio.create_task(served.server.stop())
            await asyncio.wait({stopping}, timeout=1)
            served.service.engine.gate.set()
            await stopping
            assert time.monotonic() - begin < SOON

    run(test)


def test_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming, "MAX_CLIENTS", 1)
    monkeypatch.setattr(wyoming, "_MAX_REFUSED", 1)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            await send(client, Describe())
            await receive(client)
            async with served.client() as second:
                await send(second, Describe())
                error = await error_of(second)
                assert (error.code, error.text) == (
                    "too_many_clients",
                    "1 clients are connected: close one",
                )
                # Who was refused is still there; the next is cut off without a word.
                reader, writer = await served.raw()
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
            await until(lambda: not served.server._refused)
            await send(client, Describe())
            await receive(client)

    run(test)


def test_nobody_is_told_of_what_nobody_reaches() -> None:
    async def test() -> None:
        output = replace(FREE_PORT, wyoming_zeroconf=True)
        server = WyomingServer(ScriptedService(replace(CONFIG, output=output)))
        with pytest.raises(ConfigurationError, match=r"output\.wyoming_host to 0\.0\.0\.0"):
            await server.start()
        with socket.create_server(("127.0.0.1", server.port)):
            pass  # the port is free again

    run(test)
