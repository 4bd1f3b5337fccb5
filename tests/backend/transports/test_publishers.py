"""rtap.transports.publishers: what the configuration wants is made, started and stopped."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from rtap.config import Config, OutputConfig
from rtap.transports.events_ws import EventsServer
from rtap.transports.publishers import InThread, make_publishers
from rtap.transports.schemas import Snapshot
from rtap.transports.wyoming.server import WyomingServer
from tests.backend.transports.scripted_service import ScriptedService

OFF = {"zmq_enabled": False, "websocket_enabled": False, "wyoming_enabled": False}


def no_snapshot() -> Snapshot:
    raise AssertionError("nobody has come")


@pytest.mark.parametrize(
    ("on", "kinds"),
    [
        ({}, []),
        ({"zmq_enabled": True}, [InThread]),
        ({"websocket_enabled": True, "wyoming_enabled": True}, [EventsServer, WyomingServer]),
    ],
)
def test_what_is_switched_on_is_made(on: dict[str, Any], kinds: list[type]) -> None:
    config = Config(output=OutputConfig(**{**OFF, **on}))
    made = make_publishers(ScriptedService(config), no_snapshot)
    assert [type(publisher) for publisher in made] == kinds


def test_a_publisher_with_a_thread_of_its_own_does_not_hold_up_the_event_loop() -> None:
    class Slow:
        stopped_in = ""

        def start(self) -> None: ...

        def stop(self) -> None:
            self.stopped_in = threading.current_thread().name

    async def test(slow: Slow) -> None:
        publisher = InThread(slow)
        await publisher.start()
        await publisher.stop()

    slow = Slow()
    asyncio.run(test(slow))
    assert slow.stopped_in not in {"", threading.current_thread().name}
