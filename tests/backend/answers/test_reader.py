"""rtap.answers.reader: an integrator's sentences over this project's, and all that can be wrong."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from rtap.answers.answerer import Answerer
from rtap.answers.layers import BUNDLED, languages
from rtap.answers.phrases import Phrases
from rtap.answers.reader import read_phrases
from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.intents.intent import Intent, Understanding
from rtap.vehicle.result import ActionResult, Cause, Held, Outcome, Reason
from tests.backend.vehicle.cars import intent, words

NOW = datetime(2026, 11, 30)  # noqa: DTZ001 (the car's own time)


class OwnFolder:
    """A folder of an integrator with one file."""

    def __init__(self, folder: Path, language: str = "en") -> None:
        self.path = folder / f"{language}.yaml"

    def read(self, text: str) -> Phrases:
        self.path.write_text(text, encoding="utf-8")
        return read_phrases("en", [BUNDLED, self.path.parent], {**words(), "OpenRoofBox": None})

    def say(self, text: str, meant: Intent, *held: Held, cause: Cause | None = None) -> str:
        answerer = Answerer({"en": self.read(text)}, lambda: NOW)
        result = ActionResult(meant.name, Outcome.DONE, held)
        if cause is not None:
            result = ActionResult(meant.name, Outcome.REFUSED, reason=Reason(cause, "reason"))
        return answerer.answer(Understanding("text", "en", meant), result).text

    def faults(self, text: str) -> list[str]:
        """Without the file's name, which begins each."""
        with pytest.raises(ConfigurationFaults) as caught:
            self.read(text)
        return [fault.removeprefix(f"{self.path}:") for fault in caught.value.faults]


@pytest.fixture
def own(tmp_path: Path) -> OwnFolder:
    return OwnFolder(tmp_path)


def test_an_empty_file_changes_nothing(own: OwnFolder):
    assert own.read("# nothing yet\n") == read_phrases("en", [BUNDLED], words())


def test_a_sentence_replaces_one_outcome_only(own: OwnFolder):
    text = "intents: { OpenTrunk: { done: The boot is open. } }"
    assert own.say(text, intent("OpenTrunk")) == "The boot is open."
    moving = own.say(text, intent("OpenTrunk"), cause=Cause.MOVING)
    assert moving == "The trunk stays closed while the car is moving."


def test_an_intent_of_ones_own(own: OwnFolder):
    text = "intents: { OpenRoofBox: { done: 'The roof box is [{on_off:lid}] open.' } }"
    assert own.say(text, intent("OpenRoofBox")) == "The roof box is open."
    assert own.say(text, intent("OpenRoofBox", lid=True)) == "The roof box is on open."


def test_the_first_case_that_fits(own: OwnFolder):
    text = (
        "intents:\n"
        "  OpenWindow:\n"
        "    done:\n"
        "      - { when: { position: 50 }, say: Half. }\n"
        "      - { when: { position: given, zone: driver }, say: 'Yours, {position}.' }\n"
        "      - '{position}.'\n"
        "      - Open.\n"
    )
    for slots, sentence in (
        ({"position": 50}, "Half."),
        ({"position": 50.0}, "Half."),
        ({"position": 30, "zone": "driver"}, "Yours, 30 percent."),
        ({"position": 30}, "30 percent."),
        ({}, "Open."),
    ):
        assert own.say(text, intent("OpenWindow", "percent", **slots)) == sentence


def test_units_of_another_country(own: OwnFolder):
    text = (
        "units:\n"
        "  celsius: { other: '{number} Celsius', shown_as: fahrenheit }\n"
        "  km: { other: '{number} km', shown_as: mi }\n"
        "  m: { other: '{number} m', shown_as: mi }\n"
        "  kPa: { other: '{number} kPa', shown_as: psi }\n"
    )
    asked = {
        "AskOutsideTemperature": (20, "celsius", "It is 68 degrees outside."),
        "AskOdometer": (1609.344, "km", "The car has driven 1000 miles."),
        "AskRange": (1700, "m", "You can drive another 1 mile."),
        "AskTyrePressure": (240, "kPa", "The tyre pressure is 35 psi."),
    }
    for name, (value, unit, sentence) in asked.items():
        assert own.say(text, intent(name), Held("Own.Signal", value, unit)) == sentence


def test_places_and_words_of_ones_own(own: OwnFolder):
    text = (
        "places: { '*.Wheel.*': by the wheel }\n"
        "words: { which: { driver: pilot's } }\n"
        "otherwise: { done: Aye. }\n"
    )
    assert own.read(text).place("Vehicle.Row1.Wheel.Left.Pressure") == "by the wheel"
    window = Held("Own.Position", 100, "percent")
    assert (
        own.say(text, intent("OpenWindow", zone="driver"), window) == "The pilot's window is open."
    )
    assert own.say(text, intent("OpenRoofBox")) == "Aye."


FAULTS = [
    ("intent: {}", "1: the file has the unknown key intent: did you mean intents?"),
    ("language: de", "1: language is de, and the file's name says en: rename the file"),
    ("- a", "1: the file is no mapping"),
    ("a: b: c", "1: this is no YAML"),
    (
        "intents:\n  OpenTrunc: {done: x}",
        "2: no grammar has the intent OpenTrunc: did you mean OpenTrunk?",
    ),
    (
        "intents: {OpenTrunk: {don: x}}",
        "1: intent OpenTrunk has the unknown key don: did you mean done?",
    ),
    ("intents: {OpenTrunk: done}", "1: intent OpenTrunk is no mapping"),
    ("intents:\n  OpenTrunk:\n    done: ''", "3: a sentence is empty"),
    ("intents: {OpenTrunk: {done: on}}", "1: a sentence of OpenTrunk is no mapping"),
    ("intents: {OpenTrunk: {done: [{when: {}}]}}", "1: a sentence of OpenTrunk has no say"),
    (
        "intents: {OpenTrunk: {done: [{say: x, wen: {}}]}}",
        "1: a sentence of OpenTrunk has the unknown key wen",
    ),
    (
        "intents:\n  OpenWindow:\n    done:\n      - a\n      - The {zon} is open.",
        "5: {zon} is no fact here: did you mean zone?",
    ),
    ("intents: {OpenTrunk: {done: 'a [b'}}", "1: a ] is missing: close the bracket"),
    (
        "intents: {OpenWindow: {done: '{wich:zone}'}}",
        "1: there are no words wich: did you mean which?",
    ),
    ("intents: {OpenWindow: {done: {when: {zne: 1}, say: x}}}", "1: {zne} is no fact here"),
    (
        "intents: {OpenWindow: {done: {when: {zone: [1]}, say: x}}}",
        "1: when zone is no single value",
    ),
    ("units: {parsec: {other: '{number} parsecs'}}", "1: parsec is no unit"),
    ("units: {km: {digits: 0}}", "1: unit km has no other"),
    ("units: {km: {other: '{nmber} km'}}", "1: {nmber} is no fact here: did you mean number?"),
    ("units: {km: {other: '{number} km', digits: 9}}", "1: digits is not from 0 to 3"),
    ("units: {km: {other: '{number} km', digits: few}}", "1: digits is no number"),
    ("units: {V: {other: '{number} V', shown_as: bar}}", "1: V cannot be made into bar"),
    ("units: {mi: {other: '{number} mi', shown_as: m}}", "1: mi is shown as m, which is shown as"),
    ("words: {which: {driver: on}}", "1: driver of which is no text: put it in quotes"),
    ("numbers: {decimal: 1}", "1: decimal of numbers is no text"),
    ("numbers: {comma: ','}", "1: numbers has the unknown key comma"),
    ("otherwise: {done: '{held}'}", "1: {held} is no fact here: this sentence has none"),
    (
        "otherwise: {did_you_mean: '{sentense}?'}",
        "1: {sentense} is no fact here: did you mean sentence?",
    ),
    (
        "otherwise: {did_you_mean: '{on_off:sentence}?'}",
        "1: a list of words may have none for it: write {fact}",
    ),
    ("otherwise: {dones: x}", "1: otherwise has the unknown key dones: did you mean done?"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_faults_have_file_and_line(text: str, fault: str, own: OwnFolder):
    (found,) = own.faults(text)
    assert found.startswith(fault)
    assert re.search(r": [^:]+$", found), "it does not say what to do"


def test_all_faults_at_once(own: OwnFolder):
    text = "intents:\n  OpenTrunk: { done: '{a}' }\n  OpenWindow: { done: '{b}' }\nlang: en\n"
    assert sorted(fault[0] for fault in own.faults(text)) == ["2", "3", "4"]


def test_a_new_language_has_to_be_complete(tmp_path: Path):
    (tmp_path / "fr.yaml").write_text("intents: { OpenTrunk: { done: Le coffre est ouvert. } }")
    assert languages([BUNDLED, tmp_path]) == ("de", "en", "fr")
    with pytest.raises(ConfigurationFaults) as caught:
        read_phrases("fr", [BUNDLED, tmp_path], words())
    faults = caught.value.faults
    assert all(fault.startswith(f"{tmp_path / 'fr.yaml'}:1: ") for fault in faults)
    for missing in (
        "numbers has no decimal",
        "lists has no and",
        "units has no",
        "otherwise has no done",
    ):
        assert [fault for fault in faults if missing in fault], missing


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="nowhere is no folder with answers: correct"):
        read_phrases("en", [BUNDLED, tmp_path / "nowhere"], words())
