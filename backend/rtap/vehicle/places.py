"""Where in the car: what speakers and tables call a place, as the seats that it covers."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

Steering = Literal["left", "right"]
"""On which side the driver sits."""


class Corner(Enum):
    """A seat, or what is beside it."""

    FRONT_LEFT = "front_left"
    FRONT_RIGHT = "front_right"
    REAR_LEFT = "rear_left"
    REAR_RIGHT = "rear_right"


Place = frozenset[Corner]
LEFT: Final[Place] = frozenset({Corner.FRONT_LEFT, Corner.REAR_LEFT})
RIGHT: Final[Place] = frozenset({Corner.FRONT_RIGHT, Corner.REAR_RIGHT})
FRONT: Final[Place] = frozenset({Corner.FRONT_LEFT, Corner.FRONT_RIGHT})
REAR: Final[Place] = frozenset({Corner.REAR_LEFT, Corner.REAR_RIGHT})
_FIXED: Final = {
    "left": LEFT,
    "right": RIGHT,
    "front": FRONT,
    "rear": REAR,
    "all": FRONT | REAR,
    **{corner.value: frozenset({corner}) for corner in Corner},
}
_BY_STEERING: Final = {
    "driver": (FRONT, False),
    "passenger": (FRONT, True),
    "rear_driver_side": (REAR, False),
    "rear_passenger_side": (REAR, True),
}
"""The row, and whether it is across from the driver."""
NAMES: Final = (*_BY_STEERING, *_FIXED)
"""What a place can be called in a slot or a table."""


def place(name: str, steering: Steering) -> Place:
    """What a name covers.

    Raises:
        KeyError: there is no such place.
    """
    if name not in _BY_STEERING:
        return _FIXED[name]
    row, is_across = _BY_STEERING[name]
    return row & (RIGHT if (steering == "left") == is_across else LEFT)
