"""Attacks on a service that gives in, and on one that does not: what is told of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tools.benchmarks.service import exhaustion
from tools.benchmarks.service.exhaustion import Target

Serve = Callable[[socket.socket], None]
REFUSAL = (
    b"HTTP/1.1 401 Refused\r\nContent-Length: 33\r\nConnection: close\r\n\r\n"
    b'{"error":{"code":"unauthorized"}}'
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@contextmanager
def listening(serve: Serve) -> Iterator[Target]:
    """A server that gives every connection to ``serve``, in a thread, and closes it after that."""
    ended = threading.Event()

    def run() -> None:
        while True:
            client, _ = listener.accept()
            if ended.is_set():
                client.close()
                return
            with client:
                serve(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield Target("127.0.0.1", port, port, port, "the key")
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()


def head_of(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    return head


def refuse(client: socket.socket) -> None:
    head_of(client)
    client.sendall(REFUSAL)


def cut_off(client: socket.socket) -> None:
    client.recv(64)


def switch_and_cut_off(client: socket.socket) -> None:
    head_of(client)
    client.sendall(SWITCHED)
    client.recv(1_000)


@pytest.mark.parametrize("name", ["foreign_name", "many_channels"])
def test_a_refusal_is_told_by_its_status_and_code(name: str) -> None:
    with listening(refuse) as target:
        assert exhaustion.ATTACKS[name](target) == "401 unauthorized"


def test_a_connection_that_is_closed_has_no_status() -> None:
    with listening(cut_off) as target:
        assert exhaustion.foreign_name(target).startswith("closed (")


def test_a_frame_that_is_cut_off() -> None:
    with listening(cut_off) as target:
        assert exhaustion.large_zmq_frame(target).startswith("cut off after ")


def test_a_flood_that_is_cut_off() -> None:
    with listening(switch_and_cut_off) as target:
        assert exhaustion.unread_pings(target).startswith("cut off after ")


def test_a_flood_that_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def keep(client: socket.socket) -> None:
        head_of(client)
        client.sendall(SWITCHED)
        ended.wait()

    monkeypatch.setattr(exhaustion, "_FLOOD_SECONDS", 0.0)
    with listening(keep) as target:
        assert exhaustion.tiny_frames(target) == "0.0 MB taken"
        ended.set()


def test_a_websocket_that_is_refused() -> None:
    with listening(refuse) as target, pytest.raises(ConnectionRefusedError, match="401"):
        exhaustion.unread_pings_for_events(target)


def test_half_sent_heads_that_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustion, "_CONNECTIONS", 3)
    with listening(cut_off) as target:
        assert exhaustion.half_sent_heads(target) == "3 of 3 closed"
