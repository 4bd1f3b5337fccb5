"""rtap.transports.wyoming.lane"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rtap.transports.wyoming.lane import Lane
from tests.deadlines import SOON


def test_what_was_begun_is_waited_for() -> None:
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert gate.wait(SOON)
        ended.set()

    async def test(pool: ThreadPoolExecutor) -> None:
        lane = Lane(pool)
        waiting = asyncio.create_task(lane.run(work))
        await asyncio.to_thread(begun.wait, 10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        settling = asyncio.create_task(lane.settle())
        await asyncio.sleep(0)
        assert not settling.done()
        gate.set()
        await asyncio.wait_for(settling, SOON)
        assert ended.is_set()
        await lane.settle()

    with ThreadPoolExecutor(1) as pool:
        asyncio.run(test(pool))


def test_results_and_errors() -> None:
    async def test(pool: ThreadPoolExecutor) -> None:
        lane = Lane(pool)
        assert await lane.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 / 0)
        await lane.settle()

    with ThreadPoolExecutor(1) as pool:
        asyncio.run(test(pool))
