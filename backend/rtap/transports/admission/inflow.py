"""What a connection has sent: taken apart a little at a time, and not read on while it cannot be answered.

A client may send a thousand frames in one packet, and each ping among them wants a pong. So every connection
gets a slice in each turn of the event loop, however much it has sent; and while the client does not read what
is written to it, nothing more is read from it. What one connection holds in memory is bounded in bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

SLICE: Final = 4_096
"""Bytes of one connection that are taken apart in one turn: some hundred frames at most."""


class Deadline:
    """A timer that can be started again and again.

    Args:
        on_end: called in the event loop, `seconds` after :meth:`start`, unless it was cancelled.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, on_end: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Count from now on; nothing where it counts already."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._end)

    def cancel(self) -> None:
        """Stop counting."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _end(self) -> None:
        self._timer = None
        self._on_end()


class Inflow:
    """Bytes between a transport and what parses them.

    Args:
        parse: takes the next bytes, :data:`SLICE` of them at most.
        is_blocked: whether nothing may be parsed now; whoever ends that calls :meth:`proceed`.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        parse: Callable[[bytes], None],
        is_blocked: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._parse = parse
        self._is_blocked = is_blocked
        self._unparsed = bytearray()
        self._turn: asyncio.Handle | None = None

    def add(self, data: bytes) -> None:
        """Take what the transport has read."""
        self._unparsed += data
        if self._turn is None:
            self._take_turn()

    def proceed(self) -> None:
        """Go on where that is possible, and let the transport read or wait."""
        if self._transport.is_closing():
            self.close()
            return
        is_blocked = self._is_blocked()
        if self._unparsed and not is_blocked and self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)
        # Both do nothing where it is so already.
        if self._unparsed or is_blocked:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        """Forget what is left: the connection is gone."""
        self._unparsed.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _take_turn(self) -> None:
        self._turn = None
        if self._unparsed and not self._is_blocked():
            part = bytes(self._unparsed[:SLICE])
            del self._unparsed[:SLICE]
            self._parse(part)
        self.proceed()
