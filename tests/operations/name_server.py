"""A name server with one name: what Docker's does for the instances of a service."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

_HEADER: Final = struct.Struct("!6H")
_A: Final = 1
_INTERNET: Final = 1
_SECONDS: Final = 1
_REPLY: Final = 0x8580
"""An answer, by who knows, without a fault."""
_POINTER_TO_QUESTION: Final = 0xC00C
_END: Final = b"end"


@contextmanager
def name_server(addresses: Sequence[str]) -> Iterator[int]:
    """Gives every name these IPv4 addresses, and no others; yields its UDP port on localhost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, addresses))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.sendto(_END, server.getsockname())
            thread.join()


def _serve(server: socket.socket, addresses: Sequence[str]) -> None:
    while True:
        query, client = server.recvfrom(4096)
        if query == _END:
            return
        server.sendto(_answer(query, addresses), client)


def _answer(query: bytes, addresses: Sequence[str]) -> bytes:
    identity = _HEADER.unpack_from(query)[0]
    end = query.index(b"\0", _HEADER.size) + 1
    (kind,) = struct.unpack_from("!H", query, end)
    found = addresses if kind == _A else ()
    header = _HEADER.pack(identity, _REPLY, 1, len(found), 0, 0)
    record = struct.pack("!HHHIH", _POINTER_TO_QUESTION, _A, _INTERNET, _SECONDS, 4)
    answers = b"".join(record + socket.inet_aton(address) for address in found)
    return header + query[_HEADER.size : end + 4] + answers
