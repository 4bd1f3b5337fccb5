"""rtap.vehicle.adapters.none: no car."""

import pytest

from rtap.errors import NoVehicleError
from rtap.vehicle.adapters.none import NoVehicle


def test_it_refuses_everything() -> None:
    car = NoVehicle()
    for answer in (car.get(["Vehicle.Speed"]), car.set({"Vehicle.Speed": 1})):
        with pytest.raises(NoVehicleError, match=r"choose another vehicle\.adapter"):
            answer.result(0)
    car.subscribe(["Vehicle.Speed"], lambda path, value: None)()
    car.close()
