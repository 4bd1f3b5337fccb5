"""What a car is not even asked for: signals that it has not, and values that they cannot have."""

from __future__ import annotations

from collections.abc import Mapping

from rtap.errors import UnknownSignalError, VehicleRefusedError
from rtap.intents.intent import Value
from rtap.vehicle.signals import Catalog, Signal


def known(signals: Catalog, path: str) -> Signal:
    """What a signal can hold.

    Raises:
        UnknownSignalError: the car has no such signal.
    """
    signal = signals.get(path)
    if signal is None:
        raise UnknownSignalError(f"the car has no signal {path}")
    return signal


def accepted(signals: Catalog, path: str, value: Value) -> Value:
    """The value as a signal holds it.

    Raises:
        UnknownSignalError: the car has no such signal.
        VehicleRefusedError: it cannot have the value.
    """
    try:
        return known(signals, path).accept(value)
    except ValueError as error:
        raise VehicleRefusedError(str(error)) from error


def settable(signals: Catalog, values: Mapping[str, Value]) -> dict[str, Value]:
    """Values as actuators hold them.

    Raises:
        UnknownSignalError: the car has no such signal.
        VehicleRefusedError: it is a sensor, or cannot have the value.
    """
    result = {path: accepted(signals, path, value) for path, value in values.items()}
    for path in result:
        if not signals[path].is_actuator:
            raise VehicleRefusedError(f"{path} is a sensor, which cannot be set")
    return result
