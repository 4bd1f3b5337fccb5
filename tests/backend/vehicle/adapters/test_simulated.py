"""rtap.vehicle.adapters.simulated: a car in memory, and in a file."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rtap.errors import UnknownSignalError, VehicleRefusedError
from rtap.intents.intent import Value
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from tests.backend.vehicle.cars import table

VOLUME = "Vehicle.Cabin.Infotainment.Media.Volume"
DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
TARGET = "Vehicle.Private.Cabin.Sunroof.TargetPosition"
SUNROOF = "Vehicle.Cabin.Sunroof.Position"


def car(file: Path | None = None) -> SimulatedVehicle:
    return SimulatedVehicle(table().signals, file)


def value(vehicle: SimulatedVehicle, path: str) -> Value | None:
    return vehicle.get([path]).result(0)[path]


def test_it_starts_from_the_tables_values() -> None:
    assert car().get(table().signals).result(0) == {
        path: signal.start for path, signal in table().signals.items()
    }


def test_it_does_what_it_is_told_within_its_limits() -> None:
    vehicle = car()
    assert vehicle.set({VOLUME: 44.0, DRIVER: 21.7}).result(0) == {VOLUME: 44, DRIVER: 21.5}
    with pytest.raises(VehicleRefusedError, match="101 is not from 0 to 100 percent"):
        vehicle.set({DRIVER: 18, VOLUME: 101}).result(0)
    assert value(vehicle, DRIVER) == 21.5, "all or nothing"


def test_sensors_cannot_be_set_and_can_be_driven() -> None:
    vehicle = car()
    with pytest.raises(VehicleRefusedError, match=r"Vehicle\.Speed is a sensor"):
        vehicle.set({"Vehicle.Speed": 10.0}).result(0)
    vehicle.drive({"Vehicle.Speed": 10})
    assert value(vehicle, "Vehicle.Speed") == 10.0


def test_unknown_signals() -> None:
    vehicle = car()
    for answer in (vehicle.get(["Vehicle.Wings"]), vehicle.set({"Vehicle.Wings": 1})):
        with pytest.raises(UnknownSignalError, match=r"the car has no signal Vehicle\.Wings"):
            answer.result(0)
    with pytest.raises(UnknownSignalError):
        vehicle.subscribe(["Vehicle.Wings"], lambda path, value: None)
    with pytest.raises(UnknownSignalError):
        vehicle.drive({"Vehicle.Wings": 2})


def test_sensors_follow_their_actuators() -> None:
    vehicle = car()
    vehicle.set({TARGET: -100})
    assert value(vehicle, SUNROOF) == -100


def test_subscribers_hear_of_changes_only() -> None:
    vehicle = car()
    heard: list[tuple[str, Value]] = []
    end = vehicle.subscribe([VOLUME, SUNROOF], lambda path, value: heard.append((path, value)))
    vehicle.set({VOLUME: 30})
    vehicle.set({VOLUME: 40, DRIVER: 18})
    vehicle.set({TARGET: 100})
    assert heard == [(VOLUME, 40), (SUNROOF, 100)]
    end()
    end()
    vehicle.set({VOLUME: 50})
    assert len(heard) == 2


def test_a_file_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "car.json"
    vehicle = car(file)
    vehicle.set({VOLUME: 77, DRIVER: 22.5})
    vehicle.close()
    assert json.loads(file.read_text()) == {VOLUME: 77, DRIVER: 22.5}
    again = car(file)
    assert (value(again, VOLUME), value(again, DRIVER), again.faults) == (77, 22.5, ())


def test_reading_writes_no_file(tmp_path: Path) -> None:
    vehicle = car(tmp_path / "car.json")
    vehicle.get([VOLUME])
    vehicle.set({VOLUME: 30})
    vehicle.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"null",
        b"[" * 100_000,
        b" " * 1_000_001,
        b'"' + b"a" * 99,
    ],
    ids=["empty", "open", "no text", "list", "null", "deep", "large", "cut"],
)
def test_a_damaged_file_is_named_and_the_car_starts(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "car.json"
    file.write_bytes(content)
    vehicle = car(file)
    (fault,) = vehicle.faults
    assert fault.startswith(f"{file} ")
    assert fault.endswith(": the simulated car starts from its defaults")
    assert value(vehicle, VOLUME) == 30
    vehicle.set({VOLUME: 31})
    vehicle.close()
    assert car(file).faults == ()


def test_values_that_cannot_be_are_named_and_the_others_kept(tmp_path: Path) -> None:
    file = tmp_path / "car.json"
    file.write_text(
        json.dumps({VOLUME: 300, DRIVER: 22.5, "Vehicle.Wings": 2, SUNROOF: [1]}), "utf-8"
    )
    vehicle = car(file)
    assert (value(vehicle, DRIVER), value(vehicle, VOLUME)) == (22.5, 30)
    assert vehicle.faults == (
        f"{file}: {VOLUME} starts from its default: 300 is not from 0 to 100 percent",
        f"{file}: Vehicle.Wings starts from its default: the car has no signal Vehicle.Wings",
        f"{file}: {SUNROOF} starts from its default: [1] is no number",
    )


def test_a_file_that_cannot_be_written_does_not_stop_the_car(tmp_path: Path) -> None:
    (tmp_path / "car").write_text("in the way")
    vehicle = car(tmp_path / "car" / "state.json")
    assert vehicle.set({VOLUME: 55}).result(0) == {VOLUME: 55}
    vehicle.close()
    assert value(vehicle, VOLUME) == 55


def test_any_thread_may_use_it(tmp_path: Path) -> None:
    file = tmp_path / "car.json"
    vehicle = car(file)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: vehicle.set({VOLUME: number}).result(0), range(1, 101)))
    last = value(vehicle, VOLUME)
    vehicle.close()
    assert json.loads(file.read_text()) == {VOLUME: last}
