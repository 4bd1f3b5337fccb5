"""rtap.vehicle.instruments: what the car shows, also where it has not all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from threading import Thread

import pytest

from rtap.errors import NoVehicleError, UnknownSignalError, VehicleUnreachableError
from rtap.intents.intent import Value
from rtap.vehicle.adapters.none import NoVehicle
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.instruments import READ_SECONDS, Instruments, Reading
from rtap.vehicle.protocol import Listener, Values
from tests.backend.vehicle.cars import ScriptedVehicle, answered, table
from tests.deadlines import SOON

SIGNALS = table().signals
DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
VOLUME = "Vehicle.Cabin.Infotainment.Media.Volume"


class PoorVehicle:
    """Has two signals of all, and no value for one of them."""

    def __init__(self) -> None:
        self.questions = 0

    def get(self, paths: Collection[str]) -> Future[Values]:
        self.questions += 1
        if not {*paths} <= {DRIVER, VOLUME}:
            failed: Future[Values] = Future()
            failed.set_exception(UnknownSignalError("one of them is unknown"))
            return failed
        values: Mapping[str, Value | None] = {DRIVER: None, VOLUME: 30}
        return answered({path: values[path] for path in paths})

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        raise AssertionError(values)

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        raise AssertionError(paths, listener)

    def close(self) -> None:
        """Nothing is open."""


def test_all_signals_with_their_units_in_the_order_of_the_table() -> None:
    car = SimulatedVehicle(SIGNALS)
    car.set({DRIVER: 21.5})
    readings = Instruments(car, SIGNALS).readings()
    assert [one.path for one in readings] == list(SIGNALS)
    assert Reading(DRIVER, 21.5, "celsius") in readings
    assert Reading("Vehicle.Cabin.HVAC.IsAirConditioningActive", False, None) in readings


def test_a_part_of_them() -> None:
    instruments = Instruments(SimulatedVehicle(SIGNALS), SIGNALS)
    assert instruments.read("row1.DRIVER.temperature") == {DRIVER: 20.0}
    assert instruments.paths("media.volume") == [VOLUME]
    assert instruments.read("no such part") == {}


def test_what_the_car_lacks_is_left_out_and_not_asked_for_again() -> None:
    car = PoorVehicle()
    instruments = Instruments(car, SIGNALS)
    assert instruments.read() == {DRIVER: None, VOLUME: 30}
    assert car.questions == 1 + len(SIGNALS)
    car.questions = 0
    assert instruments.read() == {DRIVER: None, VOLUME: 30}
    assert car.questions == 1


def test_no_car() -> None:
    with pytest.raises(NoVehicleError, match="choose another"):
        Instruments(NoVehicle(), SIGNALS).readings()


def test_a_car_that_does_not_answer() -> None:
    """The clock has the whole of its time gone by, between the beginning and the question."""
    car = ScriptedVehicle()
    car.answers_reading = False
    times = iter((0.0, READ_SECONDS))
    raised: list[VehicleUnreachableError] = []

    def look() -> None:
        with pytest.raises(VehicleUnreachableError, match="did not answer within 2 s") as error:
            Instruments(car, SIGNALS, lambda: next(times)).read()
        raised.append(error.value)

    thread = Thread(target=look)
    thread.start()
    thread.join(SOON)
    assert raised
    assert car.unanswered[0].cancelled()
