"""The threads that Wyoming's clients share, and the place of each of them there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")


class Lane:
    """One client's work, one piece after the other, in whichever thread is free."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._job: Future[Any] | None = None

    async def run(self, function: Callable[[], Result]) -> Result:
        """Do something that takes a while."""
        job = self._pool.submit(function)
        self._job = job
        return await asyncio.wrap_future(job)

    async def settle(self) -> None:
        """Wait for what is still running, as it is when the one who waited for it was cancelled."""
        if self._job is not None and not self._job.done():
            with suppress(Exception, CancelledError):
                await asyncio.wrap_future(self._job)
        self._job = None
