"""rtap.assistant.parts: what can be loaded is, and what cannot is told."""

from dataclasses import replace
from pathlib import Path

from rtap.assistant.parts import load_parts
from rtap.config import AnswersConfig, Config, IntentsConfig, SttConfig, VehicleConfig
from rtap.events import ErrorOccurred, Event
from rtap.intents.expected_sentences import IntentPreference
from rtap.vehicle.result import Cause, Outcome
from tests.backend.assistant.french_car import french_car
from tests.backend.vehicle.cars import intent


def test_languages_that_may_be_heard(tmp_path: Path) -> None:
    events: list[Event] = []
    parts = load_parts(french_car(tmp_path), events.append)
    assert parts.languages == {"fr"}
    assert parts.understander.understand("plus fort", "fr").intent is not None
    assert events == []
    parts.close()


def test_the_decoder_expects_what_is_understood(tmp_path: Path) -> None:
    preference = IntentPreference()
    load_parts(french_car(tmp_path), lambda _: None, preference).close()
    french = preference.sentences("fr")
    assert french is not None
    assert french.contains("Plus fort !")
    assert preference.sentences("en") is None


def test_a_language_that_is_not_spoken_is_not_loaded(tmp_path: Path) -> None:
    config = replace(french_car(tmp_path), stt=SttConfig(language="it"))
    assert load_parts(config, lambda _: None).languages == frozenset()


def test_switched_off(tmp_path: Path) -> None:
    config = replace(french_car(tmp_path), intents=IntentsConfig(enabled=False))
    assert load_parts(config, lambda _: None).languages == frozenset()


def test_a_language_with_faults_is_told_and_left_out(tmp_path: Path) -> None:
    config = french_car(tmp_path)
    config = replace(config, intents=replace(config.intents, languages=("fr", "it")))
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "car.yaml").write_text(
        "intents: {All: {data: [{sentences: ['{nobody}']}]}}\n"
    )
    events: list[Event] = []
    parts = load_parts(config, events.append)
    assert parts.languages == {"fr"}
    (told,) = events
    assert isinstance(told, ErrorOccurred)
    assert told.stage == "intents"
    assert "car.yaml:1" in told.message


def test_answers_with_faults_are_told_and_those_of_this_project_are_given(tmp_path: Path) -> None:
    config = french_car(tmp_path)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "en.yaml").write_text("intents: {Nobody: {done: Done.}}\n")
    config = replace(config, answers=AnswersConfig(folders=(str(tmp_path / "answers"),)))
    events: list[Event] = []
    parts = load_parts(config, events.append)
    (told,) = events
    assert isinstance(told, ErrorOccurred)
    assert told.stage == "answers"
    assert "en.yaml:1" in told.message
    assert parts.answerer is not None


def test_a_folder_that_is_not_there_costs_what_is_in_it_only(tmp_path: Path) -> None:
    config = replace(Config(), intents=IntentsConfig(folders=(str(tmp_path / "nowhere"),)))
    events: list[Event] = []
    parts = load_parts(config, events.append)
    assert parts.answerer is not None
    assert {event.stage for event in events if isinstance(event, ErrorOccurred)} >= {"intents"}


def test_answers_switched_off(tmp_path: Path) -> None:
    config = replace(french_car(tmp_path), answers=AnswersConfig(enabled=False))
    assert load_parts(config, lambda _: None).answerer is None


def test_a_table_with_faults_is_told_and_no_car_is_connected(tmp_path: Path) -> None:
    config = french_car(tmp_path)
    table = tmp_path / "table.yaml"
    table.write_text("intents: {RaiseVolume: {cases: [{set: {Vehicle.Nowhere: 1}}]}}\n")
    config = replace(config, vehicle=VehicleConfig(table=table))
    events: list[Event] = []
    parts = load_parts(config, events.append)
    (told,) = events
    assert isinstance(told, ErrorOccurred)
    assert told.stage == "vehicle"
    assert "table.yaml:1" in told.message
    assert parts.languages == {"fr"}
    result = parts.actor.execute(intent("RaiseVolume"))
    assert result.outcome is Outcome.REFUSED
    assert result.reason is not None
    assert result.reason.cause is Cause.NO_VEHICLE
