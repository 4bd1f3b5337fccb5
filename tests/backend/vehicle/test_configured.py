"""rtap.vehicle.configured: the car that a configuration asks for."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rtap.config import Config, VehicleConfig
from rtap.errors import ConfigurationError
from rtap.vehicle.adapters.none import NoVehicle
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.configured import make_actor, make_table, make_vehicle, state_file
from rtap.vehicle.result import Cause
from tests.backend.vehicle.cars import intent, table


def config(vehicle: VehicleConfig) -> Config:
    return replace(Config(), vehicle=vehicle)


def test_the_table_is_this_projects_with_the_configured_one_over_it(tmp_path: Path) -> None:
    assert make_table(Config()) == table()
    own = tmp_path / "own.yaml"
    own.write_text("elsewhere: {OpenTrunk: nobody}\n")
    loaded = make_table(config(VehicleConfig(table=own, steering="right")))
    assert "OpenTrunk" in loaded.elsewhere
    assert loaded.steering == "right"


def test_adapters() -> None:
    assert isinstance(make_vehicle(config(VehicleConfig(adapter="none")), table()), NoVehicle)


def test_a_file_of_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.touch()
    for file in (empty, tmp_path / "none.pem"):
        for adapter, there in (
            ("mqtt", VehicleConfig(adapter="mqtt", mqtt_tls=True, mqtt_ca_file=file)),
            ("kuksa", VehicleConfig(adapter="kuksa", kuksa_tls=True, kuksa_ca_file=file)),
        ):
            fault = rf"vehicle\.{adapter}_ca_file: {file} cannot be used"
            with pytest.raises(ConfigurationError, match=fault):
                make_vehicle(config(there), table())


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("rtap.vehicle.adapters.kuksa")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ConfigurationError, match=r"package grpc is missing: .* 'rtap\[kuksa\]'"):
        make_vehicle(config(VehicleConfig(adapter="kuksa")), table())


def test_packages_of_other_adapters_are_not_loaded() -> None:
    program = """
import sys
from rtap.config import Config
from rtap.vehicle.configured import make_table, make_vehicle
make_vehicle(Config(), make_table(Config())).close()
sys.exit(bool({"paho", "grpc", "kuksa"} & sys.modules.keys()))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_simulated_car_is_kept_where_it_is_configured(tmp_path: Path) -> None:
    there = config(VehicleConfig(state=tmp_path / "car.json"))
    vehicle = make_vehicle(there, table())
    assert isinstance(vehicle, SimulatedVehicle)
    vehicle.set({"Vehicle.Cabin.Light.IsDomeOn": True})
    vehicle.close()
    assert (tmp_path / "car.json").is_file()


def test_by_default_it_is_kept_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_file(Config()) == tmp_path / ".local" / "state" / "rtap" / "vehicle.json"


def test_the_speed_limit_is_the_configured_one(tmp_path: Path) -> None:
    there = config(VehicleConfig(state=tmp_path / "car.json", speed_limit_kmh=20))
    vehicle = SimulatedVehicle(table().signals)
    actor = make_actor(there, vehicle, table())
    vehicle.drive({"Vehicle.Speed": 20})
    assert actor.execute(intent("OpenTrunk")).reason is None
    vehicle.drive({"Vehicle.Speed": 21})
    reason = actor.execute(intent("OpenTrunk")).reason
    assert reason is not None
    assert reason.cause is Cause.MOVING
    vehicle.close()
