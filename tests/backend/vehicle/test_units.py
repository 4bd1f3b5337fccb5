"""rtap.vehicle.units: numbers in other units."""

import pytest

from rtap.intents.units import UNITS as SAID
from rtap.vehicle.units import UNITS, converted


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (21, "celsius", "celsius", 21),
        (68, "fahrenheit", "celsius", 20),
        (20, "celsius", "fahrenheit", 68),
        (5, "km", "m", 5000),
        (50, "mi", "km", 80.4672),
        (2.4, "bar", "kPa", 240),
        (1.5, "h", "s", 5400),
        (7, None, "percent", 7),
        (7, None, None, 7),
    ],
)
def test_converted(value: float, unit: str | None, to: str | None, expected: float) -> None:
    assert converted(value, unit, to) == pytest.approx(expected)


def test_a_difference_of_temperatures_has_no_zero() -> None:
    assert converted(9, "fahrenheit", "celsius", difference=True) == pytest.approx(5)
    assert converted(5, "celsius", "fahrenheit", difference=True) == pytest.approx(9)


@pytest.mark.parametrize(("unit", "to"), [("percent", "celsius"), ("km", "s"), ("bar", None)])
def test_what_cannot_be_converted(unit: str, to: str | None) -> None:
    with pytest.raises(ValueError, match=f"{unit} cannot be made into"):
        converted(1, unit, to)


def test_what_is_said_is_a_signals_unit_or_becomes_one() -> None:
    assert not {"fahrenheit", "mi"} & UNITS
    assert UNITS | {"fahrenheit", "mi"} >= SAID
