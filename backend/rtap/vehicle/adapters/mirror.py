"""What is known of a car that is elsewhere: its values as it said them last, and who hears of changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Lock

from rtap.intents.intent import Value
from rtap.vehicle.adapters.checks import known
from rtap.vehicle.adapters.listeners import Listeners, tell
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.signals import Catalog


class Mirror:
    """The last values. Any thread may use it."""

    def __init__(self, signals: Catalog) -> None:
        """Make one in which no value is known.

        Args:
            signals: what the car has.
        """
        self._signals = signals
        self._values: dict[str, Value | None] = dict.fromkeys(signals)
        self._listeners = Listeners()
        self._lock = Lock()

    def values(self, paths: Collection[str]) -> Values:
        """The last values.

        Raises:
            UnknownSignalError: the car has no such signal.
        """
        for path in paths:
            known(self._signals, path)
        with self._lock:
            return {path: self._values[path] for path in paths}

    def update(self, path: str, value: Value | None) -> None:
        """The car has said a value; None: it has none now, or none that can be."""
        with self._lock:
            changed = value != self._values[path]
            self._values[path] = value
            listeners = self._listeners.present()
        if value is None or not changed:
            return
        tell(listeners, path, value)

    def forget(self) -> None:
        """Nothing is known any more: the way to the car is lost."""
        with self._lock:
            self._values = dict.fromkeys(self._signals)

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes; see :meth:`rtap.vehicle.protocol.Vehicle.subscribe`."""
        for path in paths:
            known(self._signals, path)
        return self._listeners.add(paths, listener)
