"""Units that a slot can have, by the names of COVESA VSS 4."""

from __future__ import annotations

from typing import Final

UNITS: Final = frozenset(
    {
        "celsius",
        "fahrenheit",  # not of VSS: what is said; the vehicle's side converts it
        "percent",
        "degrees",
        "m",
        "km",
        "km/h",
        "mi",
        "s",
        "min",
        "h",
        "bar",
        "kPa",
        "l",
        "V",
        "W",
        "dB",
    }
)
