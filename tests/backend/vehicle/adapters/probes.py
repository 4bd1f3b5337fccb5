"""What tests of several adapters ask a car for, and what hears of its changes."""

from queue import Queue

from rtap.intents.intent import Value
from rtap.vehicle.protocol import Vehicle
from tests.backend.vehicle.cars import intent
from tests.deadlines import SOON
from tests.operations.programs import wait_for

VOLUME = "Vehicle.Cabin.Infotainment.Media.Volume"
DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
PASSENGER = "Vehicle.Cabin.HVAC.Station.Row1.Passenger.Temperature"
DOME = "Vehicle.Cabin.Light.IsDomeOn"
SPEED = "Vehicle.Speed"
AT_21 = intent("SetTemperature", "celsius", temperature=21, zone="driver")


class Heard:
    """What a subscriber heard."""

    def __init__(self, vehicle: Vehicle, *paths: str) -> None:
        self.changes: Queue[tuple[str, Value]] = Queue()
        self.end = vehicle.subscribe(paths, lambda path, value: self.changes.put((path, value)))

    def next(self) -> tuple[str, Value]:
        return self.changes.get(timeout=SOON)


def value(vehicle: Vehicle, path: str) -> Value | None:
    return vehicle.get([path]).result(SOON)[path]


def wait_until(vehicle: Vehicle, **expected: Value | None) -> None:
    wait_for("the values", lambda: vehicle.get(expected).result(SOON) == expected)
