"""What the process needs of the system to serve anybody: file descriptors and threads."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Final

from rtap import logs
from rtap.errors import PipelineError

_log = logs.get("server")

WANTED: Final = 4_096
"""Descriptors that are asked for; the system's own default is often 1024."""
OWN: Final = 160
"""For models, libraries, logs, uploads, events, Wyoming and ZeroMQ."""
THREADS: Final = 16
"""What uploads, streams, health checks and Wyoming start when they are first used."""
_EXHAUSTED: Final = "socket.accept() out of system resource"
_LOG_SECONDS: Final = 60.0
_REPLY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\n\r\n"
    b'{"status":"unhealthy","error":{"code":"no_descriptors","message":"the service has as many files and '
    b'connections open as it may: try again, or raise its limit of open files"}}'
)


def raise_limit() -> int:
    """Ask for as many descriptors as are useful; returns how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft


def most_connections(wanted: int, descriptors: int) -> int:
    """How many connections a server may have, so that descriptors are left for all else."""
    most = min(wanted, max(8, descriptors - OWN))
    if most < wanted:
        _log.warning(
            "%d files may be open: %d connections are served at once, not %d; raise the limit of open files",
            descriptors,
            most,
            wanted,
        )
    return most


def check_threads(count: int = THREADS) -> None:
    """Find out at the start whether threads can be started later.

    Raises:
        PipelineError: they cannot.
    """
    ended = threading.Event()
    threads: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=ended.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError as error:
        raise PipelineError(
            f"the system lets this process start {len(threads)} more threads, and it needs {count}: raise "
            f"pids_limit of the container, TasksMax of the unit, or `ulimit -u`"
        ) from error
    finally:
        ended.set()
        for thread in threads:
            thread.join()


class Reserve:
    """One descriptor, kept for the moment when there are no others: who connects then is told so."""

    def __init__(self) -> None:
        self._spare = -1
        self._logged_at = -_LOG_SECONDS
        self._fill()

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle what the event loop says when it can accept no connection."""
        loop.set_exception_handler(self._handle)

    def close(self) -> None:
        """Give it back."""
        spare, self._spare = self._spare, -1
        if spare >= 0:
            os.close(spare)

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if context.get("message") != _EXHAUSTED:
            loop.default_exception_handler(context)
            return
        # asyncio says so for every connection that may wait, again and again.
        now = time.monotonic()
        if now - self._logged_at >= _LOG_SECONDS:
            self._logged_at = now
            _log.error(
                "no descriptors are left, new connections are refused: raise the limit of open files "
                "(%s)",
                context.get("exception"),
            )
        self._turn_away(context["socket"].fileno())

    def _turn_away(self, listening: int) -> None:
        self.close()
        # Not its owner: closing it is the server's.
        listener = socket.socket(fileno=listening)
        try:
            client, _ = listener.accept()
            with client:
                client.setblocking(False)
                client.send(_REPLY)
                client.shutdown(socket.SHUT_WR)
                client.recv(1 << 16)  # what is unread would undo the reply
        except OSError:
            pass  # nobody waits, or somebody was faster
        finally:
            listener.detach()
            self._fill()

    def _fill(self) -> None:
        with suppress(OSError):
            self._spare = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
