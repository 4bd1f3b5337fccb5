"""rtap/vehicle/tables: every intent has its signals, and they are those of VSS."""

from pathlib import Path

import pytest

from rtap.intents.sources import BUNDLED
from rtap.intents.yaml_file import read_yaml
from rtap.vehicle.plan import plan, resolve
from rtap.vehicle.signals import Signal
from rtap.vehicle.table import Operation
from tests.backend.vehicle.cars import intent, table, words

FACTS = Path(__file__).with_name("vss_4_2.txt")
WIDER_IN_VSS_5 = "Vehicle.Cabin.HVAC.Station."
"""int8 in VSS 4, float in VSS 5."""


def facts() -> dict[str, list[str]]:
    lines = [line for line in FACTS.read_text().splitlines() if not line.startswith("#")]
    return {path: rest for path, *rest in (line.split(" ") for line in lines)}


def public() -> list[Signal]:
    return [
        signal
        for signal in table().signals.values()
        if not signal.path.startswith("Vehicle.Private.")
    ]


def test_signals_are_those_of_vss() -> None:
    known = facts()
    assert [signal.path for signal in public() if signal.path not in known] == []
    for signal in public():
        kind, datatype, unit, lowest, highest, allowed = known[signal.path]
        assert (kind == "actuator") is signal.is_actuator, signal.path
        if not (signal.path.startswith(WIDER_IN_VSS_5) and signal.path.endswith(".Temperature")):
            assert datatype == signal.datatype, signal.path
        assert unit == (signal.unit or "-"), signal.path
        assert lowest == "-" or signal.minimum >= float(lowest), signal.path
        assert highest == "-" or signal.maximum <= float(highest), signal.path
        assert ("" if allowed == "-" else allowed) == ",".join(signal.allowed), signal.path


def test_the_facts_are_about_nothing_else() -> None:
    assert set(facts()) == {signal.path for signal in public()}


def test_every_intent_is_in_the_table_or_said_to_be_elsewhere() -> None:
    declared = set(read_yaml(BUNDLED / "intents.yaml").mapping("intents"))
    there = table()
    assert set(there.intents) | set(there.elsewhere) == declared == set(words())
    assert not set(there.intents) & set(there.elsewhere)
    assert len(there.intents) == 79


def test_every_signal_is_used() -> None:
    used = {
        target.path
        for cases in table().intents.values()
        for case in cases
        for effect in case.effects
        for target in effect.targets
    }
    followers = {signal.path for signal in table().signals.values() if signal.follows}
    assert set(table().signals) == used | followers


# --- what intents do; the intent with its slots, then path (without Vehicle.) and value ---

HVAC = "Cabin.HVAC.Station"
HEAT = f"{HVAC}.Row1.Driver.Temperature"
SEAT = "Cabin.Seat.Row1.DriverSide"
DONE = [
    (intent("SetTemperature", "celsius", temperature=21.5, zone="driver"), {HEAT: 21.5}),
    (intent("SetTemperature", "fahrenheit", temperature=70, zone="driver"), {HEAT: 21.0}),
    (intent("RaiseTemperature", zone="passenger"), {f"{HVAC}.Row1.Passenger.Temperature": 21.0}),
    (intent("RaiseTemperature", "celsius", step=3, zone="driver"), {HEAT: 23.0}),
    (intent("LowerTemperature", "celsius", step=10, zone="driver"), {HEAT: 16.0}),
    (intent("SetFan", level=4, zone="driver"), {f"{HVAC}.Row1.Driver.FanSpeed": 40}),
    (intent("SetFan", level="high", zone="driver"), {f"{HVAC}.Row1.Driver.FanSpeed": 100}),
    (intent("SetFan", "percent", speed=35, zone="driver"), {f"{HVAC}.Row1.Driver.FanSpeed": 35}),
    (intent("SetFan", state=False, zone="driver"), {f"{HVAC}.Row1.Driver.FanSpeed": 0}),
    (intent("SetAirConditioning", state=True), {"Cabin.HVAC.IsAirConditioningActive": True}),
    (intent("SetDefrost", state=True, window="rear"), {"Cabin.HVAC.IsRearDefrosterActive": True}),
    (
        intent("SetDefrost", state=True),
        {"Cabin.HVAC.IsFrontDefrosterActive": True, "Cabin.HVAC.IsRearDefrosterActive": True},
    ),
    (intent("SetSeatHeating", level=2), {f"{SEAT}.HeatingCooling": 67}),
    (intent("SetSeatHeating", state=False), {f"{SEAT}.HeatingCooling": 0}),
    (intent("SetSeatVentilation", state=True), {f"{SEAT}.HeatingCooling": -67}),
    (intent("OpenWindow"), {"Cabin.Door.Row1.DriverSide.Window.Position": 100}),
    (
        intent("OpenWindow", "percent", position=30, zone="rear_left"),
        {"Cabin.Door.Row2.DriverSide.Window.Position": 30},
    ),
    (intent("TiltSunroof"), {"Private.Cabin.Sunroof.TargetPosition": -100}),
    (intent("OpenTrunk"), {"Body.Trunk.Rear.IsOpen": True}),
    (intent("SetHeadlights", mode="low"), {"Body.Lights.LightSwitch": "BEAM"}),
    (intent("SetHeadlights", mode="off"), {"Body.Lights.LightSwitch": "OFF"}),
    (intent("SetFogLights", state=True), {"Body.Lights.Fog.Front.IsOn": True}),
    (intent("SetFogLights", state=True, zone="rear"), {"Body.Lights.Fog.Rear.IsOn": True}),
    (intent("SetInteriorLight", state=True), {"Cabin.Light.IsDomeOn": True}),
    (
        intent("SetInteriorLight", state=True, zone="rear_right"),
        {"Cabin.Light.Spotlight.Row2.PassengerSide.IsLightOn": True},
    ),
    (intent("SetWipers", mode="auto"), {"Body.Windshield.Front.Wiping.Mode": "RAIN_SENSOR"}),
    (intent("WipeOnce", window="rear"), {"Private.Body.Windshield.Rear.IsSingleWipeRequested": True}),
    (intent("MoveMirror", side="left", direction="out"), {"Body.Mirrors.DriverSide.Pan": 10}),
    (intent("MoveMirror", side="right", direction="out"), {"Body.Mirrors.PassengerSide.Pan": -10}),
    (intent("MoveMirror", side="right", direction="in"), {"Body.Mirrors.PassengerSide.Pan": 10}),
    (intent("MoveMirror", side="left", direction="down"), {"Body.Mirrors.DriverSide.Tilt": -10}),
    (intent("MoveSeat", direction="forward"), {f"{SEAT}.Position": 120}),
    (intent("MoveBackrest", direction="backward"), {f"{SEAT}.Backrest.Recline": 25.0}),
    (intent("SetVolume", "percent", volume=80), {"Cabin.Infotainment.Media.Volume": 80}),
    (intent("LowerVolume"), {"Cabin.Infotainment.Media.Volume": 20}),
    (intent("SelectSource", source="carplay"), {"Cabin.Infotainment.SmartphoneProjection.Active": "ACTIVE"}),
    (
        intent("SelectSource", source="dab"),
        {"Cabin.Infotainment.Media.Played.Source": "DAB", "Cabin.Infotainment.Media.Action": "PLAY"},
    ),
    (
        intent("SetCruiseControl", "km/h", speed=110),
        {"ADAS.CruiseControl.SpeedSet": 110.0, "ADAS.CruiseControl.IsActive": True},
    ),
    (intent("RaiseCruiseSpeed"), {"ADAS.CruiseControl.SpeedSet": 85.0}),
    (intent("SetDriveMode", mode="eco"), {"Powertrain.Transmission.PerformanceMode": "ECONOMY"}),
    (intent("SetGuidanceVoice", state=False), {"Cabin.Infotainment.Navigation.Mute": "MUTED"}),
    (intent("AskRange"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "changes"), DONE, ids=lambda one: getattr(one, "name", None))
def test_what_an_intent_does(said: object, changes: dict[str, object]) -> None:
    wanted = plan(said, table())  # type: ignore[arg-type]  # of the list above
    now = {path: signal.start for path, signal in table().signals.items()}
    assert resolve(wanted, now) == {f"Vehicle.{path}": value for path, value in changes.items()}


def test_each_question_reads_without_setting() -> None:
    asked = [
        name
        for name, cases in table().intents.items()
        if all(effect.operation is Operation.ASK for case in cases for effect in case.effects)
    ]
    assert sorted(asked) == sorted(name for name in table().intents if name.startswith("Ask"))
    assert len(asked) == 10
