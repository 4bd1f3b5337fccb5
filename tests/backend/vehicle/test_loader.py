"""rtap.vehicle.loader: an integrator's file over this project's, and everything that can be wrong with it."""

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.vehicle.loader import load_table
from rtap.vehicle.table import Table
from tests.backend.vehicle.cars import table, words


class OwnFile:
    """A file of an integrator."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, text: str) -> Table:
        self.path.write_text(text, encoding="utf-8")
        return load_table([self.path], vocabulary=words())

    def faults(self, text: str) -> list[str]:
        """Without the file's name, which begins each."""
        with pytest.raises(ConfigurationFaults) as caught:
            self.load(text)
        assert str(caught.value) == "; ".join(caught.value.faults)
        return [fault.removeprefix(f"{self.path}:") for fault in caught.value.faults]


@pytest.fixture
def own(tmp_path: Path) -> OwnFile:
    return OwnFile(tmp_path / "own.yaml")


def test_an_empty_file_changes_nothing(own: OwnFile) -> None:
    assert own.load("# nothing yet\n") == table()


def test_entries_replace_those_of_this_project(own: OwnFile) -> None:
    loaded = own.load(
        "signals:\n"
        "  Vehicle.Private.Cabin.Scent: { type: uint8, unit: percent, actuator: true, max: 50 }\n"
        "  Vehicle.Cabin.Infotainment.Media.Volume: { type: uint8, unit: percent, actuator: true, max: 60 }\n"
        "intents:\n"
        "  SetVolume: [{ set: { Vehicle.Private.Cabin.Scent: { slot: volume } } }]\n"
        "  NavigateTo: [{ set: { Vehicle.Private.Cabin.Scent: 1 } }]\n"
        "elsewhere:\n"
        "  OpenTrunk: nobody, as this car has no trunk\n"
        "safety:\n"
        "  doors: { signals: [Vehicle.Cabin.Door.*.IsLocked], above: 30, reason: wait }\n"
    )
    assert loaded.signals["Vehicle.Cabin.Infotainment.Media.Volume"].maximum == 60
    assert (
        loaded.intents["SetVolume"][0].effects[0].targets[0].path == "Vehicle.Private.Cabin.Scent"
    )
    assert "NavigateTo" in loaded.intents
    assert "NavigateTo" not in loaded.elsewhere
    assert "OpenTrunk" not in loaded.intents
    assert loaded.elsewhere["OpenTrunk"] == "nobody, as this car has no trunk"
    (doors,) = [rule for rule in loaded.safety if rule.name == "doors"]
    assert (doors.above, doors.reason) == (30, "wait")
    assert loaded.intents["RaiseVolume"] == table().intents["RaiseVolume"]
    assert len(loaded.safety) == len(table().safety)


def test_places_of_another_car(own: OwnFile) -> None:
    loaded = own.load("places: { station: { front: Row1, rear: Row2 } }\n")
    paths = {path for path in loaded.signals if path.endswith("HVAC.Station.Row1.Temperature")}
    assert len(paths) == 1


SCENT = "signals: { Vehicle.Scent: { type: uint8, actuator: true, max: 9 } }\n"
FAULTS = [
    ("intent: {}", "1: the file has the unknown key intent: did you mean intents?"),
    ("intents: {OpenTrunk: }", "1: intent OpenTrunk is no list"),
    (
        "intents:\n  OpenTrunc: [{ask: [Vehicle.Speed]}]",
        "2: no grammar has the intent OpenTrunc: did you mean OpenTrunk?",
    ),
    ("elsewhere:\n  Sing: the radio", "2: no grammar has the intent Sing: correct it"),
    ("elsewhere:\n  CallContact: 3", "2: elsewhere CallContact is no text"),
    (
        "intents:\n  OpenTrunk: [{ask: [Vehicle.Speed]}]\nelsewhere:\n  OpenTrunk: me",
        "4: OpenTrunk is among the intents too",
    ),
    (
        "intents:\n  OpenTrunk:\n    - set:\n        Vehicle.Body.Trunk.Rear.IsOpn: true",
        "4: Vehicle.Body.Trunk.Rear.IsOpn is no known signal: did you mean Vehicle.Body.Trunk.Rear.IsOpen?",
    ),
    (
        "intents: {OpenTrunk: [{set: {Vehicle.Speed: 3}}]}",
        "1: Vehicle.Speed is a sensor, which cannot be set",
    ),
    (
        "intents: {OpenTrunk: [{sett: {Vehicle.Speed: 3}}]}",
        "1: a case of OpenTrunk has the unknown key sett: did you mean set?",
    ),
    (
        "intents: {OpenTrunk: [{when: {}}]}",
        "1: a case of OpenTrunk does nothing: write one of set, raise, lower, toggle, ask",
    ),
    (
        "intents: {SetVolume: [{when: {volum: 1}, ask: [Vehicle.Speed]}]}",
        "1: SetVolume has no slot volum: did you mean volume?",
    ),
    (
        "intents: {OpenTrunk: [{when: {far: 1}, ask: [Vehicle.Speed]}]}",
        "1: OpenTrunk has no slot far: it has none",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: {slot: loudness}}}]}",
        "2: SetVolume has no slot loudness",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: 10}}]}",
        "2: Vehicle.Scent does not take this: 10 is not from 0 to 9",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: much}}]}",
        "2: Vehicle.Scent does not take this: much is no number",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: [1]}}]}",
        "2: a value is no single value",
    ),
    (
        SCENT + "intents:\n  SetVolume:\n    - set:\n        Vehicle.Scent:\n"
        "          slot: volume\n          values: {1: 1, 2: 20}",
        "7: Vehicle.Scent does not take this: 20 is not from 0 to 9",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: {times: 2}}}]}",
        "2: a value has no slot",
    ),
    (
        SCENT + "intents: {SetVolume: [{set: {Vehicle.Scent: {slot: volume, time: 2}}}]}",
        "2: a value has the unknown key time: did you mean times?",
    ),
    (
        SCENT + "intents: {SetVolume: [{raise: {Vehicle.Scent: true}}]}",
        "2: by how much is no number",
    ),
    (
        SCENT
        + "intents: {SetVolume: [{raise: {Vehicle.Scent: {otherwise: 1, reversed_on: top}}}]}",
        "2: top is no side",
    ),
    (
        SCENT + "intents: {SetVolume: [{toggle: [Vehicle.Scent]}]}",
        "2: Vehicle.Scent is not on or off: use set",
    ),
    (
        "intents: {OpenTrunk: [{raise: {Vehicle.Body.Trunk.Rear.IsOpen: 1}}]}",
        "1: Vehicle.Body.Trunk.Rear.IsOpen is no number",
    ),
    (
        "intents: {OpenTrunk: [{zone: roof, ask: [Vehicle.Speed]}]}",
        "1: roof is no place: there are driver, passenger",
    ),
    (
        "intents: {OpenTrunk: [{ask: [Vehicle.Cabin.Door.<door>.IsLocked]}]}",
        "1: a case of OpenTrunk has places, and no zone",
    ),
    (
        "intents: {OpenTrunk: [{ask: [Vehicle.Cabin.Door.<dor>.IsLocked]}]}",
        "1: Vehicle.Cabin.Door.<dor>.IsLocked has the unknown <dor>: did you mean door?",
    ),
    (
        "intents: {OpenTrunk: [{ask: [Vehicle.<door>.<seat>]}]}",
        "1: Vehicle.<door>.<seat> has more than one <name>",
    ),
    (
        "intents: {OpenTrunk: [{momentary: 1, ask: [Vehicle.Speed]}]}",
        "1: momentary is neither true nor false",
    ),
    ("signals: {Vehicle.Scent: {}}", "1: this signal has no type: write one of boolean, int8"),
    ("signals: {Vehicle.Scent: {type: unit8}}", "1: unit8 is no type: did you mean uint8?"),
    ("signals: {Vehicle.Scent: {type: float, unit: furlong}}", "1: furlong is no unit of VSS"),
    (
        "signals: {Vehicle.Scent: {type: uint8, min: -1}}",
        "1: Vehicle.Scent goes from -1 to 255, and a uint8 cannot",
    ),
    (
        "signals: {Vehicle.Scent: {type: uint8, min: 9, max: 3}}",
        "1: Vehicle.Scent goes from 9 to 3, and a uint8 cannot",
    ),
    (
        "signals: {Vehicle.Scent: {type: uint8, max: 9, start: 10}}",
        "1: Vehicle.Scent does not take this: 10 is not from 0 to 9",
    ),
    ("signals: {Vehicle.Scent: {type: float, step: 0}}", "1: step is not above 0"),
    ("signals: {Vehicle.Scent: {type: float, max: loud}}", "1: max is no number"),
    (
        "signals: {Vehicle.Scent: {type: string, allowed: [OFF]}}",
        "1: an allowed value is no text: put it in quotes",
    ),
    (
        "signals: {Vehicle.Scent: {type: float, start: .nan}}",
        "1: Vehicle.Scent does not take this: nan is no number",
    ),
    (
        "signals: {Scent: {type: float}}",
        "1: Scent is no path: write names with points between, Vehicle first",
    ),
    (
        "signals: {Vehicle.Scent: {type: float, follows: Vehicle.Sped}}",
        "1: Vehicle.Sped is followed and unknown: did you mean Vehicle.Speed?",
    ),
    (
        "signals: {Vehicle.Scent: {type: boolean, follows: Vehicle.Speed}}",
        "1: Vehicle.Speed is of another type",
    ),
    (
        "signals: {Vehicle.Scent: {type: boolean, follows: Vehicle.Cabin.Door.<door>.IsLocked}}",
        "1: follows has other places",
    ),
    ("places: {seat: {roof: Row3}}", "1: roof is no place"),
    ("safety: {horn: {reason: loud}}", "1: rule horn has no signals: write it"),
    (
        "safety: {horn: {signals: [Vehicle.Horn.*], reason: loud}}",
        "1: Vehicle.Horn.* is no known signal",
    ),
    ("safety: {trunk: {signals: [Vehicle.Body.Trunk.*], values: [1], reason: no}}", "1: "),
    (
        "safety: {horn: {signals: [Vehicle.ADAS.*], above: fast, reason: loud}}",
        "1: above is no number",
    ),
    ("intents: {OpenTrunk: [{ask: [Vehicle.Speed]}]\n", "2: this is no YAML"),
    ("- intents\n", "1: the file is no mapping"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_faults_are_named_with_file_and_line(own: OwnFile, text: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in own.faults(text)), own.faults(text)


def test_all_faults_are_named_at_once(own: OwnFile) -> None:
    text = (
        "intents:\n  Sing: [{ask: [Vehicle.Speed]}]\n"
        "  OpenTrunk:\n    - set: {Vehicle.Wings: 1}\n    - {}\n    - {set: {}}"
    )
    assert sorted(fault.partition(":")[0] for fault in own.faults(text)) == ["2", "4", "5", "6"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_table([tmp_path / "none.yaml"], vocabulary=words())
