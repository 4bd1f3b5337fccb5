"""rtap.vehicle.plan: which signals an intent is about, and what is refused."""

import pytest

from rtap.intents.intent import Intent, Value
from rtap.vehicle.places import Steering
from rtap.vehicle.plan import check_safety, plan, resolve, text_of
from rtap.vehicle.result import Cause, Limits, Refusal
from rtap.vehicle.table import SafetyRule
from tests.backend.vehicle.cars import intent, table

STATIONS = {
    "driver": ["Row1.Driver"],
    "passenger": ["Row1.Passenger"],
    "front_left": ["Row1.Driver"],
    "front_right": ["Row1.Passenger"],
    "rear_left": ["Row2.Driver"],
    "rear_right": ["Row2.Passenger"],
    "front": ["Row1.Driver", "Row1.Passenger"],
    "rear": ["Row2.Driver", "Row2.Passenger"],
    "left": ["Row1.Driver", "Row2.Driver"],
    "right": ["Row1.Passenger", "Row2.Passenger"],
    "all": ["Row1.Driver", "Row1.Passenger", "Row2.Driver", "Row2.Passenger"],
}
ACROSS = {"Driver": "Passenger", "Passenger": "Driver"}


def paths(said: Intent, steering: Steering = "left") -> list[str]:
    return sorted(plan(said, table(steering)).paths)


def refused(said: Intent) -> Cause | None:
    with pytest.raises(Refusal) as caught:
        plan(said, table())
    return caught.value.reason.cause


@pytest.mark.parametrize("zone", STATIONS)
def test_every_place(zone: str) -> None:
    said = intent("SetTemperature", "celsius", temperature=21, zone=zone)
    assert paths(said) == [
        f"Vehicle.Cabin.HVAC.Station.{one}.Temperature" for one in STATIONS[zone]
    ]


@pytest.mark.parametrize("zone", ["front_left", "rear_right", "left"])
def test_the_driver_may_sit_on_the_right(zone: str) -> None:
    said = intent("SetTemperature", "celsius", temperature=21, zone=zone)
    mirrored = [f"{row}.{ACROSS[side]}" for row, side in (one.split(".") for one in STATIONS[zone])]
    assert paths(said, "right") == [
        f"Vehicle.Cabin.HVAC.Station.{one}.Temperature" for one in mirrored
    ]


def test_wheels_do_not_move_with_the_driver() -> None:
    said = intent("AskTyrePressure", zone="front_left")
    for steering in ("left", "right"):
        assert paths(said, steering) == ["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"]


def test_places_that_the_speaker_does_not_name() -> None:
    assert len(paths(intent("SetTemperature", "celsius", temperature=21))) == 4
    assert paths(intent("SetSeatHeating", state=True)) == [
        "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"
    ]
    assert len(paths(intent("CloseWindow"))) == 4


def test_a_question_names_each_signal() -> None:
    asked = plan(intent("AskTyrePressure"), table())
    assert asked.is_question
    assert len(asked.paths) == 4
    assert resolve(asked, dict.fromkeys(asked.paths, 240)) == {}


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (intent("CallContact", contact="Anna"), Cause.ELSEWHERE),
        (intent("Sing"), Cause.NOT_IN_TABLE),
        (intent("MoveSeat", direction="sideways"), Cause.NOT_IN_TABLE),
        (intent("SetTemperature"), Cause.NOT_IN_TABLE),
        (intent("SetTemperature", "celsius", temperature=31), Cause.OUT_OF_RANGE),
        (intent("SetTemperature", "percent", temperature=20), Cause.OUT_OF_RANGE),
        (intent("SetTemperature", temperature="warm"), Cause.OUT_OF_RANGE),
        (intent("SetSeatHeating", level=4), Cause.OUT_OF_RANGE),
        (intent("SetDriveMode", mode="offroad"), Cause.OUT_OF_RANGE),
        (intent("RaiseTemperature", step="much"), Cause.OUT_OF_RANGE),
        (intent("SetFogLights", state=True, zone="rear_left"), Cause.NO_SUCH_PLACE),
        (intent("MoveMirror", side="rear", direction="up"), Cause.NO_SUCH_PLACE),
        (intent("OpenWindow", zone="roof"), Cause.NO_SUCH_PLACE),
    ],
    ids=str,
)
def test_what_is_refused(said: Intent, cause: Cause) -> None:
    assert refused(said) is cause


def test_relative_values_end_at_the_limit_and_say_so_there() -> None:
    path = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
    wanted = plan(intent("RaiseTemperature", "celsius", step=5, zone="driver"), table())
    assert resolve(wanted, {path: 26}) == {path: 28}
    with pytest.raises(Refusal) as caught:
        resolve(wanted, {path: 28})
    assert caught.value.reason.cause is Cause.AT_LIMIT
    assert caught.value.reason.text == "it goes from 16 to 28 celsius"


def test_a_relative_value_needs_the_present_one() -> None:
    wanted = plan(intent("RaiseVolume"), table())
    for now in ({}, {"Vehicle.Cabin.Infotainment.Media.Volume": None}):
        with pytest.raises(Refusal) as caught:
            resolve(wanted, now)
        assert caught.value.reason.cause is Cause.NO_VALUE


def test_what_only_starts_something_cannot_be_undone() -> None:
    assert not plan(intent("NextTrack"), table()).can_be_undone
    assert not plan(intent("WipeOnce"), table()).can_be_undone
    assert plan(intent("PlayMedia"), table()).can_be_undone


def test_texts_of_slots() -> None:
    values: list[Value] = [True, False, 3, 21.5, "low"]
    assert [text_of(value) for value in values] == ["true", "false", "3", "21.5", "low"]


# --- safety ---

TRUNK = "Vehicle.Body.Trunk.Rear.IsOpen"
GUARDED: list[tuple[str, Value]] = [
    (TRUNK, True),
    ("Vehicle.Cabin.Door.Row2.DriverSide.IsLocked", False),
    ("Vehicle.Private.Cabin.Door.Row2.DriverSide.IsChildLockRequested", True),
    ("Vehicle.ADAS.LaneDepartureDetection.IsEnabled", False),
    ("Vehicle.ADAS.CruiseControl.SpeedSet", 120.0),
    ("Vehicle.Private.ADAS.SpeedLimiter.IsActive", False),
    ("Vehicle.Body.Mirrors.DriverSide.IsFolded", True),
    ("Vehicle.Private.Cabin.Seat.Row1.DriverSide.RecalledMemory", 1),
]


@pytest.mark.parametrize(("path", "value"), GUARDED)
def test_what_endangers_is_refused_while_the_car_moves(path: str, value: Value) -> None:
    for speed in (5.1, 130, -8.0):
        with pytest.raises(Refusal) as caught:
            check_safety({path: value}, table().safety, speed, 5)
        assert caught.value.reason.cause is Cause.MOVING
    for speed in (0, 5, -3):
        check_safety({path: value}, table().safety, speed, 5)


@pytest.mark.parametrize("speed", [None, True, "fast"])
def test_an_unknown_speed_counts_as_moving(speed: Value | None) -> None:
    with pytest.raises(Refusal) as caught:
        check_safety({TRUNK: True}, table().safety, speed, 5)
    assert caught.value.reason.cause is Cause.SPEED_UNKNOWN


def test_what_does_not_endanger_is_done_at_any_speed() -> None:
    changes: dict[str, Value] = {
        TRUNK: False,
        "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked": True,
        "Vehicle.Cabin.Door.Row1.DriverSide.Window.Position": 100,
        "Vehicle.Body.Mirrors.DriverSide.IsFolded": False,
    }
    check_safety(changes, table().safety, 130, 5)
    check_safety(changes, table().safety, None, 5)


def test_one_of_several_changes_is_enough() -> None:
    with pytest.raises(Refusal):
        check_safety({"Vehicle.Cabin.Light.IsDomeOn": True, TRUNK: True}, table().safety, 30, 5)


def test_a_rule_can_have_a_limit_of_its_own() -> None:
    rules = [SafetyRule("horn", ("Vehicle.Horn",), (), 50, "it is loud")]
    check_safety({"Vehicle.Horn": True}, rules, 49, 5)
    with pytest.raises(Refusal, match="it is loud"):
        check_safety({"Vehicle.Horn": True}, rules, 51, 5)


def test_what_is_out_of_range_says_what_is_not() -> None:
    with pytest.raises(Refusal) as caught:
        plan(intent("SetTemperature", "celsius", temperature=31), table())
    assert caught.value.reason.limits == Limits(16, 28, "celsius")
    # A choice has no ends.
    with pytest.raises(Refusal) as caught:
        plan(intent("SetDriveMode", mode="offroad"), table())
    assert caught.value.reason.limits is None
