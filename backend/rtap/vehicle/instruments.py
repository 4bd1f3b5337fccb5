"""What the car says of itself, for people who look at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from rtap.errors import UnknownSignalError, VehicleUnreachableError
from rtap.intents.intent import Value
from rtap.vehicle.protocol import Vehicle
from rtap.vehicle.signals import Catalog

READ_SECONDS: Final = 2.0
"""For all signals together, as for an action: whoever looks waits for them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal and what it shows."""

    path: str
    value: Value | None
    """None: the car has no value for it."""
    unit: str | None


class Instruments:
    """Shows the signals that the car has. Any thread may use it."""

    def __init__(
        self, vehicle: Vehicle, signals: Catalog, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make them.

        Args:
            vehicle: the car.
            signals: what it may have.
            clock: seconds; it never goes back.
        """
        self._vehicle = vehicle
        self._signals = signals
        self._clock = clock
        self._lock = Lock()
        self._lacking: frozenset[str] = frozenset()
        """What the car said that it does not have, so that it is not asked for each time."""

    def paths(self, part: str = "") -> list[str]:
        """What the car may have, in the order of the table.

        Args:
            part: only paths with this in them, in lower case or capitals.
        """
        return [path for path in self._signals if part.lower() in path.lower()]

    def read(self, part: str = "") -> dict[str, Value | None]:
        """The values by path, in the order of the table; None where the car has none for a signal.

        Args:
            part: see :meth:`paths`.

        Raises:
            VehicleError: there is no car, or no way to it.
        """
        paths = self.paths(part)
        with self._lock:
            asked = [path for path in paths if path not in self._lacking]
        values = self._read(asked, self._clock() + READ_SECONDS)
        with self._lock:
            self._lacking |= set(asked) - values.keys()
        return {path: values[path] for path in paths if path in values}

    def readings(self) -> tuple[Reading, ...]:
        """All signals that the car has.

        Raises:
            VehicleError: there is no car, or no way to it.
        """
        signals = self._signals
        return tuple(
            Reading(path, value, signals[path].unit) for path, value in self.read().items()
        )

    def _read(self, paths: Sequence[str], deadline: float) -> dict[str, Value | None]:
        if not paths:
            return {}
        answer = self._vehicle.get(paths)
        try:
            return dict(answer.result(max(deadline - self._clock(), 0)))
        except UnknownSignalError:
            # One that is unknown fails all, and nobody says which.
            if len(paths) == 1:
                return {}
            known = [self._read([path], deadline) for path in paths]
            return {path: value for one in known for path, value in one.items()}
        except TimeoutError as error:
            answer.cancel()
            raise VehicleUnreachableError(
                f"the car did not answer within {READ_SECONDS:g} s: check that it is there"
            ) from error
