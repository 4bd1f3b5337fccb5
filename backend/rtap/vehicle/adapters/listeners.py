"""Who hears of changes in a car."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Lock

from rtap.intents.intent import Value
from rtap.vehicle.protocol import Listener

Entry = tuple[frozenset[str], Listener]
Entries = tuple[Entry, ...]


class Listeners:
    """Those of one car; for any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = Lock()

    def add(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Tell a listener of these signals from now on; returns what ends it."""
        entry = (frozenset(paths), listener)
        with self._lock:
            self._entries.append(entry)

        def end() -> None:
            with self._lock:
                if entry in self._entries:
                    self._entries.remove(entry)

        return end

    def present(self) -> Entries:
        """Those that there are now, for :func:`tell`: who comes after a change does not hear of it."""
        with self._lock:
            return tuple(self._entries)


def tell(entries: Entries, path: str, value: Value) -> None:
    """A signal has a new value; called without a lock, as listeners may ask the car."""
    for paths, listener in entries:
        if path in paths:
            listener(path, value)
