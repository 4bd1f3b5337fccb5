"""rtap.vehicle.signals: what a signal accepts."""

import math

import pytest

from rtap.intents.intent import Value
from rtap.vehicle.signals import Datatype, Signal

TEMPERATURE = Signal(
    "Vehicle.T", Datatype.FLOAT, 20.0, unit="celsius", minimum=16, maximum=28, step=0.5
)
MODE = Signal("Vehicle.M", Datatype.STRING, "OFF", allowed=("OFF", "SLOW"))
PERCENT = Signal("Vehicle.P", Datatype.UINT8, 0, unit="percent", minimum=0, maximum=100)
SWITCH = Signal("Vehicle.S", Datatype.BOOLEAN, False)
LEVEL = Signal("Vehicle.L", Datatype.FLOAT, 0.0)


@pytest.mark.parametrize(
    ("signal", "value", "held"),
    [
        (TEMPERATURE, 21, 21.0),
        (TEMPERATURE, 21.3, 21.5),
        (TEMPERATURE, 28, 28.0),
        (PERCENT, 33.4, 33),
        (PERCENT, 100, 100),
        (MODE, "SLOW", "SLOW"),
        (SWITCH, True, True),
        (LEVEL, 1 / 3, 1 / 3),
    ],
)
def test_accepted(signal: Signal, value: Value, held: Value) -> None:
    accepted = signal.accept(value)
    assert accepted == held
    assert type(accepted) is type(held)


@pytest.mark.parametrize(
    ("signal", "value", "reason"),
    [
        (TEMPERATURE, 28.5, "28.5 is not from 16 to 28 celsius"),
        (TEMPERATURE, True, "True is no number"),
        (TEMPERATURE, math.nan, "nan is no number"),
        (TEMPERATURE, 10**400, "10000000000000000000 is no number"),
        (TEMPERATURE, "20", "20 is no number"),
        (PERCENT, -1, "-1 is not from 0 to 100 percent"),
        (MODE, "FAST", "FAST is none of OFF, SLOW"),
        (MODE, 1, "1 is no text"),
        (SWITCH, 1, "1 is not true or false"),
        (SWITCH, None, "None is not true or false"),
    ],
)
def test_refused(signal: Signal, value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        signal.accept(value)


def test_reading_minds_the_type_and_not_the_limits() -> None:
    assert TEMPERATURE.read(12.3) == 12.3
    assert MODE.read("FAST") == "FAST"
    for signal, value in ((TEMPERATURE, "20"), (MODE, 1), (SWITCH, 0)):
        with pytest.raises(ValueError, match="is no"):
            signal.read(value)


def test_clamped() -> None:
    assert TEMPERATURE.clamped(40) == 28.0
    assert TEMPERATURE.clamped(-40) == 16.0


def test_limits_of_types() -> None:
    assert Datatype.UINT8.limits == (0, 255)
    assert Datatype.INT8.limits == (-128, 127)
    assert Datatype.UINT32.limits == (0, 4_294_967_295)
    assert Datatype.FLOAT.limits == (-math.inf, math.inf)
