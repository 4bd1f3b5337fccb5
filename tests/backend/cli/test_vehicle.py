"""rtap vehicle show | do."""

import json
from pathlib import Path

import pytest

from rtap.__main__ import main
from tests.backend.vehicle.adapters.kuksa.databroker_double import Databroker
from tests.backend.vehicle.adapters.mqtt.car import Car as MqttCar
from tests.backend.vehicle.adapters.mqtt.mosquitto import mosquitto
from tests.operations.programs import free_port

DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("RTAP_ENVIRONMENT", "RTAP_LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "car.json"
    (tmp_path / "default.yaml").write_text(f"vehicle: {{state: {file}}}\n")
    return file


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vehicle", "show", "station.row1.driver"]) == 0
    assert capsys.readouterr().out == (
        f"{DRIVER} = 20.0 celsius\n"
        "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed = 30 percent\n"
        'Vehicle.Cabin.HVAC.Station.Row1.Driver.AirDistribution = "MIDDLE"\n'
        "Vehicle.Private.Cabin.HVAC.Station.Row1.Driver.IsActive = true\n"
    )
    assert main(["vehicle", "show", "Vehicle.Speed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"Vehicle.Speed": 0.0}


def test_show_names_what_is_damaged(capsys: pytest.CaptureFixture[str], state: Path) -> None:
    state.write_text("{")
    assert main(["vehicle", "show", "Vehicle.Speed"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "Vehicle.Speed = 0.0 km/h\n"
    assert shown.err.startswith(f"rtap: warning: {state} cannot be read")


def test_do_and_undo(capsys: pytest.CaptureFixture[str], state: Path) -> None:
    assert main(["vehicle", "do", "Set the temperature for the driver to 21.5 degrees."]) == 0
    assert capsys.readouterr().out == f"SetTemperature: done\n  {DRIVER} = 21.5 celsius\n"
    assert json.loads(state.read_text()) == {DRIVER: 21.5}
    assert main(["vehicle", "do", "undo", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["understanding"]["intent"]["name"] == "Undo"
    held = {"path": DRIVER, "value": 20.0, "unit": "celsius", "previous": 21.5}
    assert shown["result"]["held"] == [held]
    assert main(["vehicle", "do", "undo"]) == 1
    assert capsys.readouterr().out == ("Undo: refused: nothing was done that could be taken back\n")


def test_what_is_not_understood_is_not_done(
    capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    assert main(["vehicle", "do", "the weather was lovely in Rome"]) == 1
    assert capsys.readouterr().out.startswith("not understood\n")
    assert not state.exists()


def test_what_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vehicle", "do", "set the temperature to 31 degrees"]) == 1
    assert capsys.readouterr().out == ("SetTemperature: refused: 31 is not from 16 to 28 celsius\n")


def test_without_a_car(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("vehicle: {adapter: none}\n")
    assert main(["vehicle", "show"]) == 1
    assert "no car is connected" in capsys.readouterr().err


def test_a_table_with_faults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("signals: {Vehicle.Speed: {type: fast}}\n")
    (tmp_path / "default.yaml").write_text(f"vehicle: {{table: {own}}}\n")
    assert main(["vehicle", "show"]) == 2
    assert f"{own}:1: fast is no type" in capsys.readouterr().err


# --- a car elsewhere ---


def test_a_car_over_mqtt(capsys: pytest.CaptureFixture[str], tmp_path: Path, state: Path) -> None:
    with mosquitto(tmp_path) as broker:
        car = MqttCar(broker)
        car.hold(DRIVER, 18)
        car.wait_until_published()
        (tmp_path / "default.yaml").write_text(
            f"vehicle: {{adapter: mqtt, mqtt_broker: '{broker.address}', state: {state}}}\n"
        )
        assert main(["vehicle", "show", "station.row1.driver.temperature"]) == 0
        assert main(["vehicle", "do", "Set the temperature for the driver to 21.5 degrees."]) == 0
        assert main(["vehicle", "do", "undo"]) == 0
        car.close()
    assert capsys.readouterr().out.splitlines() == [
        f"{DRIVER} = 18.0 celsius",
        "SetTemperature: done",
        f"  {DRIVER} = 21.5 celsius",
        "Undo: done",
        f"  {DRIVER} = 18.0 celsius",
    ]
    assert not state.exists()
    assert main(["vehicle", "show"]) == 1
    assert "cannot be reached (Connection refused): start it" in capsys.readouterr().err
    assert main(["vehicle", "do", "undo"]) == 1
    assert "nothing was done that could be taken back" in capsys.readouterr().out


def test_a_car_over_kuksa(capsys: pytest.CaptureFixture[str], tmp_path: Path, state: Path) -> None:
    broker = Databroker((DRIVER,))
    broker.start()
    broker.publish(DRIVER, 18)
    (tmp_path / "default.yaml").write_text(
        f"vehicle: {{adapter: kuksa, kuksa_broker: '{broker.address}', state: {state}}}\n"
    )
    assert main(["vehicle", "show", "station.row1.driver"]) == 0
    assert main(["vehicle", "do", "Set the temperature for the driver to 21.5 degrees."]) == 0
    assert main(["vehicle", "do", "undo"]) == 0
    broker.stop()
    lacking = "the car does not have it"
    assert capsys.readouterr().out.splitlines() == [
        f"{DRIVER} = 18.0 celsius",
        f"Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: {lacking}",
        f"Vehicle.Cabin.HVAC.Station.Row1.Driver.AirDistribution: {lacking}",
        f"Vehicle.Private.Cabin.HVAC.Station.Row1.Driver.IsActive: {lacking}",
        "SetTemperature: done",
        f"  {DRIVER} = 21.5 celsius",
        "Undo: done",
        f"  {DRIVER} = 18.0 celsius",
    ]


def test_what_was_done_in_one_car_is_not_undone_in_another(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, state: Path
) -> None:
    assert main(["vehicle", "do", "Set the temperature for the driver to 21.5 degrees."]) == 0
    (tmp_path / "default.yaml").write_text(
        f"vehicle: {{adapter: mqtt, mqtt_broker: '127.0.0.1:{free_port()}', state: {state}}}\n"
    )
    assert main(["vehicle", "do", "undo"]) == 1
    assert "nothing was done" in capsys.readouterr().out
