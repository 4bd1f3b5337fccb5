"""A car, as far as it can be read and set: signals by path, with futures instead of waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from typing import Protocol

from rtap.intents.intent import Value

Values = Mapping[str, Value | None]
"""Values by path, in the signals' units; None where the car has the signal, and no value for it."""
Listener = Callable[[str, Value], None]
"""Gets a path and its new value, in the adapter's thread: it returns soon."""


class Vehicle(Protocol):
    """A car. Every method returns at once and may be called from any thread.

    The futures fail with :class:`rtap.errors.UnknownSignalError`, with the car's own reason as
    :class:`rtap.errors.VehicleRefusedError`, as :class:`rtap.errors.VehicleNonsenseError`, as
    :class:`rtap.errors.VehicleUnreachableError` while there is no way to the car, or as
    :class:`rtap.errors.VehicleLostError` where it is lost meanwhile. Who waits decides for how long, and then
    cancels the future, which may be too late to have no effect.
    """

    def get(self, paths: Collection[str]) -> Future[Values]:
        """Read signals, each path once in the answer."""
        ...

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        """Set signals, all or none where the car can.

        Returns:
            The values that hold then, which the car may have changed.
        """
        ...

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes from now on.

        Returns:
            What ends it.

        Raises:
            UnknownSignalError: the car has no such signal.
        """
        ...

    def close(self) -> None:
        """Finish what has begun, and let go of the car."""
        ...
