"""Units of signals, by the names of COVESA VSS 4, and what one is in another."""

from __future__ import annotations

from typing import Final

UNITS: Final = frozenset(
    {
        "celsius", "percent", "degrees", "mm", "m", "km", "km/h", "m/s", "s", "min", "h", "kPa", "Pa", "bar",
        "psi", "l", "ml", "l/100km", "kWh/100km", "kWh", "Wh", "V", "A", "W", "kW", "rpm", "cpm", "dB",
    }
)  # fmt: skip
"""What a signal may have."""
_SCALES: Final = (
    {"mm": 0.001, "m": 1.0, "km": 1000.0, "mi": 1609.344},
    {"m/s": 3.6, "km/h": 1.0, "mi/h": 1.609344},
    {"s": 1.0, "min": 60.0, "h": 3600.0},
    {"Pa": 0.001, "kPa": 1.0, "bar": 100.0, "psi": 6.894757},
    {"ml": 0.001, "l": 1.0},
    {"Wh": 0.001, "kWh": 1.0},
    {"W": 0.001, "kW": 1.0},
)
"""Units of one quantity, each in the same of them."""
_FAHRENHEIT_ZERO: Final = 32.0
_DEGREE_FAHRENHEIT: Final = 5 / 9
"""In degrees Celsius."""


def converted(value: float, unit: str | None, to: str | None, *, difference: bool = False) -> float:
    """A number in another unit.

    Args:
        unit: None: it is in the other unit already.
        to: None: the signal has no unit, and takes a number without one only.
        difference: whether it is by how much, rather than what; only temperatures have two zeros.

    Raises:
        ValueError: one cannot be made into the other.
    """
    if unit is None or unit == to:
        return value
    if unit == "fahrenheit" and to == "celsius":
        return (value if difference else value - _FAHRENHEIT_ZERO) * _DEGREE_FAHRENHEIT
    if unit == "celsius" and to == "fahrenheit":
        return value / _DEGREE_FAHRENHEIT + (0 if difference else _FAHRENHEIT_ZERO)
    for scale in _SCALES:
        if unit in scale and to in scale:
            return value * scale[unit] / scale[to]
    raise ValueError(f"{unit} cannot be made into {to or 'a number without a unit'}")
