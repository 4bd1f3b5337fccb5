"""The health check, against servers that are well, ill, mute and gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.deadlines import SOON
from tools.system.container import health


@contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """Answers one request; None: accepts it and says nothing."""
    with socket.create_server((health.HOST, 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                if answer is None:
                    done.wait(SOON)
                    return
                assert connection.recv(4096).startswith(b"GET /health HTTP/1.0\r\n")
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield str(listener.getsockname()[1])
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"HTTP/1.1 200 OK", 0), (b"HTTP/1.1 503 Service Unavailable", 1), (b"what 2000?", 1)],
)
def test_status(head: bytes, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with server(head + b"\r\nServer: 200\r\n\r\n" + b'{"status":"some"}') as port:
        assert health.main([port]) == status
    assert capsys.readouterr().out == '{"status":"some"}\n'


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((health.HOST, 0)) as listener:
        port = listener.getsockname()[1]
    assert health.main([str(port)]) == 1
    assert f"port {port}" in capsys.readouterr().out


def test_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.05)
    with server(None) as port:
        assert health.main([port]) == 1
    assert "timed out" in capsys.readouterr().out
