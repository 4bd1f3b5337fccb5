"""What a client may do to use up the service's memory, descriptors, places or processor: one function each.

An attack returns what became of it, in a few words. None of them knows the API key, except where it says so.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile

_PATIENCE_SECONDS: Final = 60.0
"""For the service to react to one client."""
_FLOOD_SECONDS: Final = 20.0
_SEEN_SECONDS: Final = 5.0
_LARGE: Final = 300_000_000
_PIECE: Final = bytes(65_536)
_KEYS: Final = 1_000_000
_CONNECTIONS: Final = 200
_UPLOADS: Final = 18
_RECEIVE_BUFFER: Final = 4_096
_WEBSOCKET_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_ZMTP_PLAIN: Final = (
    b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"PLAIN".ljust(20, b"\0") + bytes(32)
)
"""ZMTP 3.0's greeting of a client (ZeroMQ's RFC 23): signature, version, mechanism, filler; 64 bytes."""
_ZMTP_LONG_COMMAND: Final = 6
"""Flags of a command whose size has 8 bytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service is."""

    host: str
    http: int
    """Ports."""
    events: int
    zmq_events: int
    api_key: str


Attack = Callable[[Target], str]


def large_body(target: Target) -> str:
    """`PUT /model` with 300 MB, by a client without the key."""
    return _put_model(target, {})


def large_body_with_key(target: Target) -> str:
    """The same by one that has it."""
    return _put_model(target, _authorization(target))


def foreign_name(target: Target) -> str:
    """`PUT /listening` of a web page whose own name resolves to this machine."""
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    return _status(target, "PUT", "/listening", b'{"enabled":true}', headers)


def many_keys(target: Target) -> str:
    """A million unknown fields beside audio in Base64, with the key."""
    fields = ",".join(f'"k{number}":{number}' for number in range(_KEYS))
    body = f'{{"audio_base64":"",{fields}}}'.encode()
    headers = {"Content-Type": "application/json", **_authorization(target)}
    return _status(target, "POST", "/transcribe/base64", body, headers)


def dear_sound(target: Target) -> str:
    """Two minutes of silence in 8 channels at 192 kHz, which are few bytes as FLAC, with the key."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 192_000, 8, format="FLAC", subtype="PCM_16") as sound:
        for _ in range(120):
            sound.write(np.zeros((192_000, 8), np.int16))
    return _upload(target, file.getvalue())


def many_channels(target: Target) -> str:
    """Ten seconds of silence in 64 channels, as WAV of 20 MB, with the key."""
    file = io.BytesIO()
    silence = np.zeros((160_000, 64), np.int16)
    soundfile.write(file, silence, 16_000, format="WAV", subtype="PCM_16")
    return _upload(target, file.getvalue())


def large_zmq_frame(target: Target) -> str:
    """A ZeroMQ frame of 500 MB before any password."""
    with socket.create_connection((target.host, target.zmq_events), _PATIENCE_SECONDS) as client:
        client.sendall(_ZMTP_PLAIN)
        client.sendall(struct.pack("!BQ", _ZMTP_LONG_COMMAND, 500_000_000))
        return _sent_until_cut_off(client, _PIECE, 500_000_000)


def unread_pings(target: Target) -> str:
    """Pings on `/stream` for 20 s, of which no answer is read, with the key."""
    with _websocket(target, target.http, "/stream") as client:
        return _sent_until_cut_off(client, _frame(0x9, bytes(125)) * 500)


def unread_pings_for_events(target: Target) -> str:
    """The same on the port of the events."""
    with _websocket(target, target.events, "/") as client:
        return _sent_until_cut_off(client, _frame(0x9, bytes(125)) * 500)


def tiny_frames(target: Target) -> str:
    """Frames of one sample on `/stream` for 20 s, while no reply is read, with the key."""
    sample = np.float32(0.1).tobytes()
    with _websocket(target, target.http, "/stream") as client:
        return _sent_until_cut_off(client, _frame(0x2, sample) * 5_000)


def half_sent_heads(target: Target) -> str:
    """Two hundred connections that send half a request and then nothing."""
    with ExitStack() as stack:
        clients = [_half_a_request(target, stack) for _ in range(_CONNECTIONS)]
        closed = sum(_is_closed(client) for client in clients)
    return f"{closed} of {_CONNECTIONS} closed"


def slow_uploads(target: Target) -> str:
    """Eighteen uploads of a byte in a second, with the key, until they lose their places."""
    with ExitStack() as stack:
        clients = [_slow_upload(target, stack) for _ in range(_UPLOADS)]
        ended = 0
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while clients and time.monotonic() < deadline:
            clients = [client for client in clients if not _has_answer(client)]
            ended = _UPLOADS - len(clients)
            time.sleep(1.0)
    return f"{ended} of {_UPLOADS} lost their places"


ATTACKS: Final[Mapping[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        large_body,
        large_body_with_key,
        foreign_name,
        many_keys,
        dear_sound,
        many_channels,
        large_zmq_frame,
        unread_pings,
        unread_pings_for_events,
        tiny_frames,
        half_sent_heads,
        slow_uploads,
    )
}


# ---- HTTP


def _authorization(target: Target) -> dict[str, str]:
    return {"Authorization": f"Bearer {target.api_key}"} if target.api_key else {}


def _put_model(target: Target, headers: Mapping[str, str]) -> str:
    def body() -> Iterator[bytes]:
        for _ in range(_LARGE // len(_PIECE)):
            yield _PIECE

    return _status(target, "PUT", "/model", body(), {"Content-Type": "application/json", **headers})


def _upload(target: Target, audio: bytes) -> str:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + audio
    headers = {"Content-Type": "multipart/form-data; boundary=b", **_authorization(target)}
    return _status(target, "POST", "/transcribe", body + b"\r\n--b--\r\n", headers)


def _status(
    target: Target, method: str, path: str, body: bytes | Iterator[bytes], headers: dict[str, str]
) -> str:
    """The reply's status and code; a service that refuses early may close while the body is sent."""
    connection = http.client.HTTPConnection(target.host, target.http, timeout=_PATIENCE_SECONDS)
    try:
        with suppress(ConnectionError):
            connection.request(
                method, path, body, headers, encode_chunked=not isinstance(body, bytes)
            )
        reply = connection.getresponse()
        return f"{reply.status} {_code(reply.read())}".strip()
    except (OSError, http.client.HTTPException) as error:
        return f"closed ({type(error).__name__})"
    finally:
        connection.close()


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""


def _half_a_request(target: Target, stack: ExitStack) -> socket.socket:
    address = (target.host, target.http)
    client = stack.enter_context(socket.create_connection(address, _PATIENCE_SECONDS))
    with suppress(ConnectionError):  # one too many is closed at once
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
    return client


def _is_closed(client: socket.socket) -> bool:
    """Wait until the service has closed it, whatever it says before."""
    try:
        while client.recv(4_096):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def _slow_upload(target: Target, stack: ExitStack) -> socket.socket:
    address = (target.host, target.http)
    client = stack.enter_context(socket.create_connection(address, _PATIENCE_SECONDS))
    headers = {
        "Host": "localhost",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": "1000000",
        **_authorization(target),
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    client.sendall("\r\n".join(["POST /transcribe HTTP/1.1", *lines, "", ""]).encode())
    client.sendall(b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n')
    client.setblocking(False)
    return client


def _has_answer(client: socket.socket) -> bool:
    """Send one byte more; whether the service has answered or closed."""
    try:
        client.send(b"x")
        return client.recv(4_096) is not None
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


# ---- WebSockets and raw connections


def _frame(opcode: int, payload: bytes) -> bytes:
    """A short frame as a client sends it; the mask is zero, so the payload stands in it as it is."""
    return struct.pack("!BBI", 0x80 | opcode, 0x80 | len(payload), 0) + payload


def _websocket(target: Target, port: int, path: str) -> socket.socket:
    """A connection after its handshake, whose client reads as little as it can.

    Raises:
        ConnectionError: it was refused.
    """
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    client.settimeout(_PATIENCE_SECONDS)
    client.connect((target.host, port))
    key = [f"X-API-Key: {target.api_key}"] if target.api_key else []
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {_WEBSOCKET_KEY}",
        "Sec-WebSocket-Version: 13",
        *key,
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    reply = b""
    while b"\r\n\r\n" not in reply:
        more = client.recv(1)
        if not more:
            break
        reply += more
    if not reply.startswith(b"HTTP/1.1 101"):
        client.close()
        raise ConnectionRefusedError(f"no WebSocket: {reply[:64]!r}")
    return client


def _sent_until_cut_off(client: socket.socket, data: bytes, most: int | None = None) -> str:
    """Send again and again, for 20 s or until so many bytes are gone; tells how much was taken."""
    client.settimeout(_SEEN_SECONDS)
    sent, end = 0, time.monotonic() + _FLOOD_SECONDS
    while time.monotonic() < end and (most is None or sent < most):
        try:
            sent += client.send(data)
        except TimeoutError:
            pass
        except ConnectionError:
            return f"cut off after {sent / 1e6:.1f} MB"
    return f"{sent / 1e6:.1f} MB taken"
