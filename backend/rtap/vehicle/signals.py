"""What a signal can hold."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rtap.intents.intent import Value

_LONGEST_TEXT: Final = 1_000
"""Characters of a string signal."""
_LARGEST: Final = sys.float_info.max


class Datatype(StrEnum):
    """The types of VSS that the table can use; arrays are none of them."""

    BOOLEAN = "boolean"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers."""
        return "int" in self.value

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.is_whole or self in (Datatype.FLOAT, Datatype.DOUBLE)

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        if not self.is_whole:
            return -math.inf, math.inf
        bits = int(self.value.lstrip("uint"))
        if self.value.startswith("u"):
            return 0, 2**bits - 1
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of the car."""

    path: str
    datatype: Datatype
    start: Value
    """The simulated car's value before anybody set it."""
    unit: str | None = None
    is_actuator: bool = False
    """Whether it may be set."""
    minimum: float = -math.inf
    maximum: float = math.inf
    """Both included; narrower than those of the type."""
    step: float | None = None
    """Numbers are rounded to multiples of it."""
    allowed: tuple[str, ...] = ()
    """Of a string; empty: any."""
    follows: str | None = None
    """In the simulated car: the actuator that it shows."""
    momentary: bool = False
    """Whether setting it only starts something."""

    def accept(self, value: object) -> Value:
        """The value as this signal holds it.

        Raises:
            ValueError: the type is wrong, or the value is out of the limits; says what may be given.
        """
        if self.datatype is Datatype.BOOLEAN:
            if isinstance(value, bool):
                return value
            raise ValueError(f"{str(value)[:20]} is not true or false")
        if self.datatype is Datatype.STRING:
            return self._text(value)
        return self._number(value)

    def read(self, value: object) -> Value:
        """What the car says that this signal holds, which may be out of the limits for setting it.

        Raises:
            ValueError: the type is wrong.
        """
        if self.datatype is Datatype.BOOLEAN:
            return self.accept(value)
        if self.datatype is Datatype.STRING:
            return _text(value)
        number = _number(value)
        return int(number) if self.datatype.is_whole else float(number)

    def clamped(self, value: float) -> Value:
        """The nearest number that is accepted."""
        return self.accept(min(max(value, self.minimum), self.maximum))

    def _text(self, value: object) -> str:
        text = _text(value)
        if self.allowed and text not in self.allowed:
            raise ValueError(f"{text} is none of {', '.join(self.allowed)}")
        return text

    def _number(self, value: object) -> float:
        number = _number(value)
        if not self.minimum <= number <= self.maximum:
            unit = f" {self.unit}" if self.unit else ""
            raise ValueError(f"{number:g} is not from {self.minimum:g} to {self.maximum:g}{unit}")
        step = self.step or (1 if self.datatype.is_whole else None)
        if step is None:
            return float(number)
        rounded = math.floor(number / step + 0.5) * step
        rounded = min(max(rounded, self.minimum), self.maximum)
        return int(rounded) if self.datatype.is_whole else float(rounded)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{str(value)[:20]} is no text")
    return value


def _number(value: object) -> float:
    # The comparison is false for NaN, too, and holds for whole numbers that no float can hold.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not -_LARGEST <= value <= _LARGEST
    ):
        raise ValueError(f"{str(value)[:20]} is no number")
    return value


Catalog = Mapping[str, Signal]
"""Signals by path."""
