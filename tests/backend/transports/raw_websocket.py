"""A WebSocket client that does what no library would."""

from __future__ import annotations

import socket
import struct
from typing import Final, Self

from tests.deadlines import SOON

PING: Final = 0x9
TEXT: Final = 0x1
BINARY: Final = 0x2
CONTINUATION: Final = 0x0
_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_RECEIVE_BUFFER: Final = 4_096


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """As a client sends it; the mask is zero, so the payload stands in it as it is."""
    first = opcode | (0x80 if fin else 0)
    if len(payload) < 126:
        return struct.pack("!BBI", first, 0x80 | len(payload), 0) + payload
    return struct.pack("!BBHI", first, 0x80 | 126, len(payload), 0) + payload


class RawWebSocket:
    """Connected, the handshake done. Reads nothing unless asked to."""

    def __init__(self, port: int, path: str = "/") -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.socket.settimeout(SOON)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += self.socket.recv(1)
        assert reply.startswith(b"HTTP/1.1 101"), reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_until_cut_off(self, data: bytes, most: int) -> int:
        """Send again and again; returns how many bytes went out until the service cut the connection.

        Raises:
            AssertionError: ``most`` were taken.
            TimeoutError: none were taken for ten seconds, and the connection stayed.
        """
        sent = 0
        while sent < most:
            try:
                sent += self.socket.send(data)
            except ConnectionError:
                return sent
        raise AssertionError(f"{sent} bytes were taken")
