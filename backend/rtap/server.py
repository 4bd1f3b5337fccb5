"""Runs the service's two HTTP servers in one event loop until a signal ends them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from rtap import logs
from rtap.config.listeners import Endpoint, listeners
from rtap.errors import PipelineError, TransportError
from rtap.process.descriptors import Reserve, check_threads, most_connections, raise_limit
from rtap.transports.api import create_api
from rtap.transports.health import create_health_app
from rtap.transports.stream.server import UVICORN_SETTINGS

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rtap.app import RTAPApplication

_log = logs.get("server")

_GRACE_SECONDS: Final = 2
"""How long open requests may take after the signal."""
_BACKLOG: Final = 128
_OTHER_CONNECTIONS: Final = 64
"""Beside streams and files: pages, health checks, those that are about to ask for something."""
_HEALTH_CONNECTIONS: Final = 32
_MAX_HEADER_BYTES: Final = 16 * 1024


class PortInUseError(TransportError):
    """Another process listens there already."""

    exit_status = 2


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: one signal ends both servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(application: RTAPApplication) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; then finish what is being said and close.

    Raises:
        PortInUseError: another process listens on a port.
        TransportError: a port cannot be bound for another reason.
        ConfigurationError: the configured microphone or wake word cannot be had.
        PipelineError: only a new process can help; who supervises this one starts it. Or the system lets it
            start no threads.
    """
    output = application.config.output
    ports = {endpoint.name: endpoint for endpoint in listeners(application.config)}
    with contextlib.ExitStack() as sockets:
        api_socket = sockets.enter_context(bind(ports["output.http_port"]))
        health_socket = sockets.enter_context(bind(ports["output.health_port"]))
        app, finish_streams = create_api(application)
        limits = application.config.limits
        wanted = limits.max_streams + limits.max_queue + _OTHER_CONNECTIONS
        api = _server(app, most_connections(wanted, raise_limit()))
        health = _server(
            create_health_app(application.telemetry, application.health, output),
            _HEALTH_CONNECTIONS,
        )
        check_threads()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        reserve = Reserve()
        sockets.callback(reserve.close)
        reserve.install(loop)
        for number in _ends():
            loop.add_signal_handler(number, ended.set)
        try:
            await application.start()
            running = asyncio.gather(
                api.serve(sockets=[api_socket]), health.serve(sockets=[health_socket])
            )
            _log.info("serving", http=_address(api_socket), health=_address(health_socket))
            signalled = asyncio.ensure_future(ended.wait())
            broken = asyncio.wrap_future(application.broken)
            either: list[asyncio.Future[Any]] = [running, signalled, broken]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            signalled.cancel()
            # What is being said is heard to its end while its listeners are still connected.
            await finish_streams(_GRACE_SECONDS)
            await application.finish_speech()
            api.should_exit = health.should_exit = True
            await running
        finally:
            await application.stop()
    if broken.done():
        raise PipelineError(broken.result())


def _ends() -> list[signal.Signals]:
    """The signals that end the service."""
    numbers = [signal.SIGTERM, signal.SIGINT]
    # A terminal that is closed, or a unit's `systemctl reload`; under nohup it is to be ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def bind(endpoint: Endpoint) -> socket.socket:
    """Listen before anything else is started, so that a port in use is found at once.

    Raises:
        PortInUseError: another process listens there.
        TransportError: the port is not ours, or the host has no such address.
    """
    host, port = endpoint.host, endpoint.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        kind = PortInUseError if error.errno == errno.EADDRINUSE else TransportError
        raise kind(
            f"cannot listen on {host} port {port} ({error.strerror}): stop the program that does, "
            f"or change {endpoint.host_name} or {endpoint.name}"
        ) from error
    return listener


def _server(app: FastAPI, most_connections: int) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,  # rtap.logs formats what uvicorn says
            access_log=False,
            proxy_headers=False,  # create_api believes the configured proxies, and nobody else
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            backlog=_BACKLOG,
            limit_concurrency=most_connections,
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
            **UVICORN_SETTINGS,
        )
    )


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"
