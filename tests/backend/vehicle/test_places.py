"""rtap.vehicle.places: what a name of a place covers."""

import pytest

from rtap.vehicle.places import FRONT, LEFT, NAMES, REAR, RIGHT, Corner, Place, Steering, place


@pytest.mark.parametrize(
    ("name", "covered"),
    [("front", FRONT), ("rear", REAR), ("left", LEFT), ("right", RIGHT), ("all", FRONT | REAR)],
)
@pytest.mark.parametrize("steering", ["left", "right"])
def test_places_that_are_where_they_are(name: str, covered: Place, steering: Steering) -> None:
    assert place(name, steering) == covered


@pytest.mark.parametrize(
    ("name", "in_left_hand_drive", "in_right_hand_drive"),
    [
        ("driver", Corner.FRONT_LEFT, Corner.FRONT_RIGHT),
        ("passenger", Corner.FRONT_RIGHT, Corner.FRONT_LEFT),
        ("rear_driver_side", Corner.REAR_LEFT, Corner.REAR_RIGHT),
        ("rear_passenger_side", Corner.REAR_RIGHT, Corner.REAR_LEFT),
    ],
)
def test_places_that_the_steering_wheel_decides(
    name: str, in_left_hand_drive: Corner, in_right_hand_drive: Corner
) -> None:
    assert place(name, "left") == {in_left_hand_drive}
    assert place(name, "right") == {in_right_hand_drive}


def test_every_name_covers_something() -> None:
    assert all(place(name, "left") for name in NAMES)
    with pytest.raises(KeyError):
        place("roof", "left")
