"""What is noticed when a service misbehaves. That ours does not is measured by tools/benchmark."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tools.benchmarks.service import attacks
from tools.benchmarks.service.attacks import ATTACKS, attempt

Handler = Callable[[ServerConnection], Awaitable[None]]


def attack(name: str, handler: Handler, status: HTTPStatus | None = None) -> str | None:
    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return None if status is None else connection.respond(status, "")

    async def both() -> str | None:
        async with serve(handler, "127.0.0.1", 0, process_request=refuse, max_size=None) as server:
            port = server.sockets[0].getsockname()[1]
            return await attempt(name, f"ws://127.0.0.1:{port}/stream", seed=0)

    return asyncio.run(both())


async def obey(client: ServerConnection) -> None:
    """Says end when it is asked to, and takes everything."""
    async for message in client:
        if isinstance(message, str) and "end" in message:
            await client.send(json.dumps({"type": "end"}))


def closing(code: int) -> Handler:
    async def close(client: ServerConnection) -> None:
        await client.recv()
        await client.close(code)

    return close


def saying(**message: str) -> Handler:
    async def say(client: ServerConnection) -> None:
        await client.send(json.dumps({"type": "error", "message": "oh", **message}))
        await obey(client)

    return say


async def cut(client: ServerConnection) -> None:
    await client.recv()
    client.transport.abort()


async def ignore(client: ServerConnection) -> None:
    await client.wait_closed()


@pytest.mark.parametrize(
    ("name", "handler", "surprise"),
    [
        ("random_bytes", obey, None),
        ("random_bytes", closing(1007), None),
        ("random_bytes", closing(1011), "closed with 1011"),
        ("garbage_text", obey, None),
        ("garbage_text", cut, "closed with 1006"),
        ("garbage_text", saying(code="bad_message"), None),
        ("garbage_text", saying(code="internal_error"), "internal_error: oh"),
        ("not_numbers", saying(code="too_many_streams"), "no place left"),
        ("huge_frame", closing(1009), None),
        ("huge_frame", closing(1000), "closed with 1000"),
        ("wrong_sizes", closing(1007), None),
        ("abrupt_close", obey, None),
        ("early_close", obey, None),
        ("bad_protocol", obey, None),
        ("half_frame", obey, None),
        ("slow_reader", obey, None),
        ("half_handshake", obey, None),
    ],
)
def test_what_surprises(name: str, handler: Handler, surprise: str | None) -> None:
    found = attack(name, handler)
    assert found is None if surprise is None else surprise in (found or "")


def test_a_refusal_surprises() -> None:
    found = attack("random_bytes", obey, HTTPStatus.SERVICE_UNAVAILABLE)
    assert found == "refused with 503"


def test_no_reaction_surprises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks, "PATIENCE_SECONDS", 0.2)
    assert attack("garbage_text", ignore) == "no reaction within 0 s"


def test_nobody_there_surprises() -> None:
    found = asyncio.run(attempt("random_bytes", "ws://127.0.0.1:1/stream", seed=0))
    assert found is not None
    assert "refused" in found.lower() or "Error" in found


def test_every_attack_says_what_it_does() -> None:
    assert len(ATTACKS) == 14
    assert all(one.__doc__ for one in ATTACKS.values())
