"""A scripted service behind a real server, on a port of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import uvicorn

from rtap.config import Config
from rtap.transports.api import Api, create_api
from rtap.transports.stream.server import UVICORN_SETTINGS
from tests.backend.transports.scripted_service import ScriptedService, scripted_service
from tests.deadlines import SOON


class Server:
    """Its service may be changed at any time."""

    def __init__(
        self, service: ScriptedService, port: int, api: Api, running: uvicorn.Server
    ) -> None:
        self.service = service
        self.port = port
        self._api = api
        self._running = running
        self.address = f"127.0.0.1:{port}"

    def finish_streams(self, seconds: float) -> Future[None]:
        """What the service does before it stops."""

        async def finish() -> None:
            await self._api.finish(seconds)

        return asyncio.run_coroutine_threadsafe(finish(), self._running.servers[0].get_loop())

    def metric(self, line: str) -> bool:
        return line in self.service.telemetry.exposition().decode()


@contextmanager
def serving(config: Config, *, start: bool = True, **settings: Any) -> Iterator[Server]:
    with scripted_service(config, start=start) as service:
        api = create_api(service)
        options = {**UVICORN_SETTINGS, "port": 0, "log_config": None, **settings}
        server_config = uvicorn.Config(api.app, **options)
        server = uvicorn.Server(server_config)
        with server_config.bind_socket() as listener:
            listener.listen()  # who connects before the server runs waits for it
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield Server(service, listener.getsockname()[1], api, server)
            finally:
                service.engine.gate.set()
                server.should_exit = True
                thread.join()


def wait_until_still(value: Callable[[], object], seconds: float = 0.2) -> None:
    """Wait until a value does not change any more. For what must not happen: too short a wait misses it."""
    before, since = value(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.005)
        now = value()
        if now != before:
            before, since = now, time.monotonic()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
