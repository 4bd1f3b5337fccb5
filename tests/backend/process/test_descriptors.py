"""What is done when the system gives no more descriptors or threads."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

from rtap.errors import PipelineError
from rtap.process import descriptors
from rtap.process.descriptors import check_threads, most_connections
from tests.deadlines import SOON

WITHOUT_DESCRIPTORS = """
import asyncio, logging, os, resource, socket, sys
from rtap.process.descriptors import Reserve
logging.basicConfig(stream=sys.stdout, format="%(message)s")

async def main():
    loop = asyncio.get_running_loop()
    if sys.argv[1] == "reserve":
        Reserve().install(loop)
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=128)
    port = server.sockets[0].getsockname()[1]
    clients = [socket.socket() for _ in range(5)]
    for client in clients:
        client.settimeout(3)
    await asyncio.to_thread(print, end="")
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        pass
    def talk():
        for client in clients:
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /health HTTP/1.1\\r\\n\\r\\n")
        for client in clients:
            try:
                print("answered", client.recv(4096)[:12].decode())
            except OSError as error:
                print("silence", error)
    await asyncio.to_thread(talk)

asyncio.run(main())
"""


def run(mode: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, mode],
        capture_output=True,
        text=True,
        timeout=SOON,
        check=True,
    )
    return ended.stdout.splitlines()


def test_who_connects_when_no_descriptors_are_left_is_told_so_and_the_log_stays_short():
    lines = run("reserve")
    assert lines.count("answered HTTP/1.1 503") == 5
    assert sum("no descriptors are left" in line for line in lines) == 1
    assert len(lines) == 6


def test_other_faults_of_the_loop_are_still_logged(caplog):
    async def test() -> None:
        loop = asyncio.get_running_loop()
        reserve = descriptors.Reserve()
        reserve.install(loop)
        loop.call_exception_handler({"message": "something else"})
        reserve.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(test())
    assert "something else" in caplog.text


def test_connections_stay_below_the_descriptors():
    assert most_connections(100, 4_096) == 100
    assert most_connections(300, 256) == 256 - descriptors.OWN
    assert most_connections(300, 10) == 8


def test_a_system_without_threads_is_noticed_at_the_start(monkeypatch):
    def refused(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(PipelineError, match="0 more threads, and it needs 16: raise pids_limit"):
        check_threads()


def test_threads_that_were_started_for_the_check_end():
    before = threading.active_count()
    check_threads(4)
    assert threading.active_count() == before
