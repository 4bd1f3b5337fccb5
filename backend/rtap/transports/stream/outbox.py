"""What waits to be sent to one client of ``/stream``: bounded, and what matters is never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from rtap.transports.schemas import (
    ActionCompletedMessage,
    AnswerGivenMessage,
    IntentRecognizedMessage,
    SpeechStartedMessage,
    StreamEnd,
    StreamError,
    StreamFinal,
    StreamPartial,
    StreamReady,
)

OutMessage = (
    StreamReady
    | SpeechStartedMessage
    | StreamPartial
    | StreamFinal
    | IntentRecognizedMessage
    | ActionCompletedMessage
    | AnswerGivenMessage
    | StreamError
    | StreamEnd
)

CAPACITY: Final = 64
# In the order in which they are dropped. A later partial result says all that an earlier one did.
_DROPPABLE: Final[tuple[type, ...]] = (StreamPartial, SpeechStartedMessage, StreamError)


class Outbox:
    """Filled from any thread, emptied by the one that sends.

    When it is full, partial results are dropped first, then other news. It holds more than its capacity only
    of what is never dropped; who puts such things in shall stop when it :attr:`is_full`.

    Args:
        on_change: called after every message that was put in, in that thread; must return at once.
    """

    def __init__(self, on_change: Callable[[], None], capacity: int = CAPACITY) -> None:
        self._on_change = on_change
        self._capacity = capacity
        self._messages: list[OutMessage] = []
        self._lock = threading.Lock()
        self.dropped = 0
        """Messages that the client was too slow for."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room for what is never dropped."""
        with self._lock:
            return len(self._messages) >= self._capacity

    def put(self, message: OutMessage) -> None:
        """Add a message."""
        with self._lock:
            self._messages.append(message)
            if len(self._messages) > self._capacity:
                self._drop_one()
        self._on_change()

    def take(self) -> OutMessage | None:
        """The oldest message; None when there is none."""
        with self._lock:
            return self._messages.pop(0) if self._messages else None

    def _drop_one(self) -> None:
        for kind in _DROPPABLE:
            for position, message in enumerate(self._messages):
                if isinstance(message, kind):
                    del self._messages[position]
                    self.dropped += 1
                    return
