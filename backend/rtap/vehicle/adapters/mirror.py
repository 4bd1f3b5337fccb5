"""What is known of a car that is elsewhere: its values as it said them last, and who hears of changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from threading import Lock

from rtap.errors import UnknownSignalError, VehicleRefusedError
from rtap.intents.intent import Value
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.signals import Catalog, Signal


class Mirror:
    """The last values. Any thread may use it."""

    def __init__(self, signals: Catalog) -> None:
        """Make one in which no value is known.

        Args:
            signals: what the car has.
        """
        self._signals = signals
        self._values: dict[str, Value | None] = dict.fromkeys(signals)
        self._listeners: list[tuple[frozenset[str], Listener]] = []
        self._lock = Lock()

    def signal(self, path: str) -> Signal:
        """What a signal can hold.

        Raises:
            UnknownSignalError: the car has no such signal.
        """
        signal = self._signals.get(path)
        if signal is None:
            raise UnknownSignalError(f"the car has no signal {path}")
        return signal

    def check(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Values that may be sent to the car.

        Raises:
            UnknownSignalError: the car has no such signal.
            VehicleRefusedError: it is a sensor, or cannot have the value.
        """
        checked: dict[str, Value] = {}
        for path, value in values.items():
            signal = self.signal(path)
            if not signal.is_actuator:
                raise VehicleRefusedError(f"{path} is a sensor, which cannot be set")
            try:
                checked[path] = signal.accept(value)
            except ValueError as error:
                raise VehicleRefusedError(str(error)) from error
        return checked

    def values(self, paths: Collection[str]) -> Values:
        """The last values of signals that the car has."""
        with self._lock:
            return {path: self._values[path] for path in paths}

    def update(self, path: str, value: Value | None) -> None:
        """The car has said a value; None: it has none now, or none that can be."""
        with self._lock:
            changed = value != self._values[path]
            self._values[path] = value
            listeners = tuple(self._listeners)
        if value is None or not changed:
            return
        for paths, listener in listeners:
            if path in paths:
                listener(path, value)

    def forget(self) -> None:
        """Nothing is known any more: the way to the car is lost."""
        with self._lock:
            self._values = dict.fromkeys(self._signals)

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes; see :meth:`rtap.vehicle.protocol.Vehicle.subscribe`."""
        for path in paths:
            self.signal(path)
        entry = (frozenset(paths), listener)
        with self._lock:
            self._listeners.append(entry)

        def end() -> None:
            with self._lock:
                if entry in self._listeners:
                    self._listeners.remove(entry)

        return end
