"""Hands every event to every subscriber, and lets nobody who is slow hold up the others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rtap.events import Event, LevelMeasured

DEFAULT_CAPACITY: Final = 256


class Subscription:
    """One subscriber's queue. When it is full, the oldest event is dropped and counted.

    Args:
        on_ready: called in the publisher's thread whenever an event was queued; must return at once.
            An asyncio subscriber passes ``lambda: loop.call_soon_threadsafe(event.set)``.
        levels: whether it gets LevelMeasured, of which there are many.
    """

    def __init__(
        self, bus: EventBus, capacity: int, on_ready: Callable[[], None], *, levels: bool = False
    ) -> None:
        self._bus = bus
        self._events: deque[Event] = deque(maxlen=capacity)
        self._on_ready = on_ready
        self.levels = levels
        """Whether it gets levels."""
        self.dropped = 0
        """Events that this subscriber was too slow for."""

    def take(self) -> list[Event]:
        """All events that wait, oldest first; empty when there are none."""
        taken = []
        while True:
            try:
                taken.append(self._events.popleft())
            except IndexError:
                return taken

    def close(self) -> None:
        """Receive nothing more."""
        self._bus.unsubscribe(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def put(self, event: Event) -> None:
        """For the bus: queue an event."""
        # Nobody wants the level of a while ago, and it must take no other event's place.
        if isinstance(event, LevelMeasured) and (not self.levels or self._events):
            return
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._on_ready()


class EventBus:
    """Publish from any thread; each subscriber takes at its own speed."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()

    def subscribe(
        self,
        on_ready: Callable[[], None] = lambda: None,
        capacity: int = DEFAULT_CAPACITY,
        *,
        levels: bool = False,
    ) -> Subscription:
        """Receive everything that is published from now on, levels only where they are wanted."""
        subscription = Subscription(self, capacity, on_ready, levels=levels)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """What :meth:`Subscription.close` calls."""
        with self._lock:
            self._subscriptions = tuple(
                one for one in self._subscriptions if one is not subscription
            )

    @property
    def wants_levels(self) -> bool:
        """Whether any subscriber wants levels; otherwise none need to be measured."""
        return any(one.levels for one in self._subscriptions)

    def publish(self, event: Event) -> None:
        """Queue an event for every subscriber; never waits for any of them."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.put(event)
