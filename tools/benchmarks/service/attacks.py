"""What clients do to ``/stream`` that they should not, each of them on a connection of its own.

An attack returns when the service has behaved as it should, and raises :class:`Surprise` when it has not.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtap.audio.format import SAMPLE_RATE

NORMAL, PROTOCOL_ERROR, BAD_DATA, TOO_LARGE = 1000, 1002, 1007, 1009
PATIENCE_SECONDS: Final = 20.0
"""For the service to react."""
_FAULTS: Final = frozenset({"failed", "internal_error"})
"""Codes of error messages that tell of the service's own faults."""
_NOTHING_MORE: Final = 0.2
"""Seconds that a silent client stays."""
_TAKEN_UNREAD: Final = 32 << 20
"""Bytes: far more than two kernels' buffers and the service's hold."""
_TOO_LARGE: Final = 1 << 20
_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_TEXTS: Final = (
    "",
    "{garbage",
    "[]",
    "null",
    "\0\0",
    '{"type":',
    '{"type":"shutdown"}',
    '{"type":{"type":"end"}}',
    '{"type":"config","sample_rate":-1}',
    '{"type":"config","language":"klingon"}',
    '{"type":"config","format":["f32le"]}',
    "[" * 3_000,
    '{"type":"config","language":"' + "x" * 3_000 + '"}',
    "x" * 100_000,
)

Rng = np.random.Generator


class Surprise(Exception):
    """The service did what it should not."""


async def random_bytes(url: str, rng: Rng) -> None:
    """Audio frames of noise bytes, most of which are no samples."""
    async with _connected(url) as client, _reply(client, NORMAL, BAD_DATA):
        for _ in range(rng.integers(1, 6)):
            await client.send(rng.bytes(int(rng.integers(1, 5_000))))
        await _end(client)


async def wrong_sizes(url: str, rng: Rng) -> None:
    """Frames that hold part of a sample, until the service has had enough."""
    async with _connected(url) as client, _reply(client, BAD_DATA):
        for _ in range(6):
            await client.send(bytes(4 * int(rng.integers(0, 500)) + int(rng.integers(1, 4))))


async def not_numbers(url: str, rng: Rng) -> None:
    """Samples that are not numbers, or far too large, among good ones."""
    async with _connected(url) as client, _reply(client, NORMAL, BAD_DATA):
        for bad in (np.nan, np.inf, -np.inf, 1e30):
            frame = rng.uniform(-1, 1, 320).astype("<f4")
            await client.send(frame.tobytes())
            frame[int(rng.integers(frame.size))] = bad
            await client.send(frame.tobytes())
        await _end(client)


async def garbage_text(url: str, rng: Rng) -> None:
    """Text messages that are not the protocol's."""
    async with _connected(url) as client, _reply(client, NORMAL):
        for index in rng.integers(len(_TEXTS), size=8):
            await client.send(_TEXTS[index])
        await _end(client)


async def huge_frame(url: str, rng: Rng) -> None:
    """More than a megabyte in one message."""
    async with _connected(url) as client, _reply(client, TOO_LARGE):
        await client.send(bytes(_TOO_LARGE + 4 * int(rng.integers(1, 250_000))))


async def bad_protocol(url: str, rng: Rng) -> None:
    """After the handshake, bytes that are no WebSocket frames."""
    async with _connected(url) as client, _reply(client, PROTOCOL_ERROR, BAD_DATA, TOO_LARGE):
        # Reserved bits: no random byte makes this right.
        client.transport.write(b"\xf0" + rng.bytes(200))


async def half_frame(url: str, rng: Rng) -> None:
    """The beginning of a frame, and then nothing more will come."""
    async with _connected(url) as client:
        client.transport.write(b"\x82\xfe\x10\x00" + rng.bytes(int(rng.integers(4, 500))))
        client.transport.write_eof()
        await asyncio.sleep(_NOTHING_MORE)
        client.transport.abort()


async def half_handshake(url: str, rng: Rng) -> None:
    """The beginning of a handshake, and then silence."""
    request = _handshake(url)
    reader, writer = await _raw(url)
    try:
        writer.write(request[: int(rng.integers(1, len(request) - 2))])
        await writer.drain()
        with suppress(TimeoutError):
            if await asyncio.wait_for(reader.read(1), _NOTHING_MORE) != b"":
                raise Surprise("half a handshake was answered")
    finally:
        writer.close()


async def bad_handshake(url: str, rng: Rng) -> None:
    """A handshake that is wrong in one place."""
    right, wrong = (
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12"),
        (_KEY.encode(), b"short"),
        (b"Upgrade: websocket", b"Upgrade: h2c"),
        (b"/stream", b"/nowhere"),
    )[int(rng.integers(4))]
    reader, writer = await _raw(url)
    try:
        writer.write(_handshake(url).replace(right, wrong))
        await writer.drain()
        status = (await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)).split(b" ")
        if len(status) < 2 or not status[1].startswith(b"4"):
            raise Surprise(f"a wrong handshake was answered with {b' '.join(status)!r}")
    finally:
        writer.close()


async def abrupt_close(url: str, rng: Rng) -> None:
    """Speech, and then the connection is reset."""
    async with _connected(url) as client:
        for _ in range(rng.integers(1, 10)):
            await client.send(_loud(rng, 0.2))
        client.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
        )
        client.transport.abort()


async def slow_reader(url: str, rng: Rng) -> None:
    """A client that is complained to again and again, and never reads."""
    async with _connected(url) as client:
        client.transport.pause_reading()
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(_NOTHING_MORE):
                for _ in range(2_000):
                    await client.send("{garbage")
                    await client.send(_loud(rng, 0.02))
        client.transport.abort()


async def unread_pings(url: str, rng: Rng) -> None:
    """Pings, of which no answer is read: after some megabytes nothing more may be taken."""
    async with _connected(url) as client:
        client.transport.pause_reading()
        pings = b"\x89\xfd" + bytes(4) + rng.bytes(125)
        taken = 0
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_NOTHING_MORE):
                while taken <= _TAKEN_UNREAD:
                    client.transport.write(pings * 500)
                    await client.drain()
                    taken += len(pings) * 500
        client.transport.abort()
        if taken > _TAKEN_UNREAD:
            raise Surprise(f"{taken} bytes of pings were taken, and no answer was read")


async def tiny_frames(url: str, rng: Rng) -> None:
    """Frames of one sample, all at once, while nothing is read."""
    async with _connected(url) as client, _reply(client, NORMAL):
        client.transport.pause_reading()
        sample = rng.uniform(-0.5, 0.5, 1).astype("<f4").tobytes()
        for _ in range(5_000):
            await client.send(sample)
        client.transport.resume_reading()
        await _end(client)


async def early_close(url: str, rng: Rng) -> None:
    """Gone before anything was said."""
    async with _connected(url) as client:
        if rng.integers(2):
            await client.send(_loud(rng, 0.02))
        await client.close(int(rng.choice([NORMAL, 1001, 3000])))


Attack = Callable[[str, Rng], Awaitable[None]]
ATTACKS: Final[Mapping[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        random_bytes,
        wrong_sizes,
        not_numbers,
        garbage_text,
        huge_frame,
        bad_protocol,
        half_frame,
        half_handshake,
        bad_handshake,
        abrupt_close,
        slow_reader,
        unread_pings,
        tiny_frames,
        early_close,
    )
}


async def attempt(name: str, url: str, seed: int) -> str | None:
    """Do one attack; what surprised, or None."""
    try:
        await ATTACKS[name](url, np.random.default_rng(seed))
    except Surprise as surprise:
        return str(surprise)
    except InvalidStatus as refusal:
        return f"refused with {refusal.response.status_code}"
    except ConnectionClosed as closed:
        return f"closed with {_code(closed)}"
    except TimeoutError:
        return f"no reaction within {PATIENCE_SECONDS:.0f} s"
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror or error}"
    return None


class _reply:  # noqa: N801 (used as a function is, with `async with`)
    """Sends go inside; at the end the service must say ``end``, or close with one of these codes."""

    def __init__(self, client: ClientConnection, *codes: int) -> None:
        self._client = client
        self._codes = codes

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, _kind: object, error: object, _trace: object) -> bool:
        if error is not None and not isinstance(error, ConnectionClosed):
            return False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not _is_end(await self._client.recv()):
                    pass
        except ConnectionClosed as closed:
            if _code(closed) not in self._codes:
                raise Surprise(f"closed with {_code(closed)}") from None
        else:
            if NORMAL not in self._codes:
                raise Surprise("the service said end, and should have closed the connection")
        return True


def _is_end(text: str | bytes) -> bool:
    message = json.loads(text)
    if message["type"] == "error" and message["code"] in _FAULTS:
        raise Surprise(f"{message['code']}: {message['message']}")
    if message["type"] == "error" and message["code"] == "too_many_streams":
        raise Surprise("no place left: those of earlier connections are still taken")
    return bool(message["type"] == "end")


def _code(closed: ConnectionClosed) -> int:
    """1006 where the connection ended without a close frame."""
    return 1006 if closed.rcvd is None else closed.rcvd.code


def _connected(url: str) -> connect:
    return connect(url, compression=None, proxy=None, close_timeout=PATIENCE_SECONDS)


async def _end(client: ClientConnection) -> None:
    await client.send(json.dumps({"type": "end"}))


def _loud(rng: Rng, seconds: float) -> bytes:
    return rng.uniform(-0.5, 0.5, int(SAMPLE_RATE * seconds)).astype("<f4").tobytes()


async def _raw(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def _handshake(url: str) -> bytes:
    return (
        f"GET /stream HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n\r\n"
    ).encode()
