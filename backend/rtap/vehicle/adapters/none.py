"""No car: intents are events only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future

from rtap.errors import NoVehicleError
from rtap.intents.intent import Value
from rtap.vehicle.protocol import Listener, Values

_MESSAGE = "no car is connected: choose another vehicle.adapter than none"


class NoVehicle:
    """Refuses everything."""

    def get(self, paths: Collection[str]) -> Future[Values]:
        """Fail."""
        del paths
        return _failed()

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        """Fail."""
        del values
        return _failed()

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Nothing ever changes."""
        del paths, listener
        return lambda: None

    def close(self) -> None:
        """There is nothing to let go of."""


def _failed() -> Future[Values]:
    answer: Future[Values] = Future()
    answer.set_exception(NoVehicleError(_MESSAGE))
    return answer
