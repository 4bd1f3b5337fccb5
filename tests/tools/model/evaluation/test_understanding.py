"""What transcripts ask for, with the service's sentences and with others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rtap.config import Config
from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.intents.names import NameFiles
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.intent_scoring import Judgement, Verdict
from tools.model.evaluation.meaning import NOTHING, Meaning
from tools.model.evaluation.transcripts import Heard
from tools.model.evaluation.understanding import Understanding

WARM = Meaning("SetTemperature", (("temperature", 21),))
LAMP = Meaning("SwitchLamp", (("room", "kitchen"),))


@pytest.fixture(scope="module")
def service() -> Understanding:
    return Understanding.of_service(Config(), ("en", "fr"))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/house.yaml").write_text(
        "intents: {SwitchLamp: {data: [{sentences: ['lamp in the {room}', 'call {who}']}]}}\n"
        "lists: {room: {values: [kitchen, hall]}, who: {file: contacts}}\n"
    )
    return tmp_path


def heard(text: str, said: str, **utterance: object) -> Heard:
    values: dict[str, object] = {"language": "en", **utterance}
    return Heard(Utterance(Path("a.wav"), said, "car", **values), text, 2.0, 0.5)  # type: ignore[arg-type]


def judge(understanding: Understanding, one: Heard) -> Judgement:
    judgement = understanding.judge(one)
    assert judgement is not None
    return judgement


def test_what_is_meant_is_what_the_sentences_make_of_the_words(service: Understanding) -> None:
    right = judge(service, heard("Set the temperature to 21°C.", "temperature to twenty one"))
    assert (right.meant, right.verdict, right.acts) == (WARM, Verdict.RIGHT, True)
    wrong = judge(service, heard("Set the temperature too 21", "set the temperature to 21"))
    assert (wrong.meant, wrong.understood, wrong.verdict) == (WARM, NOTHING, Verdict.MISSED)


def test_what_the_data_say_comes_first(service: Understanding) -> None:
    one = judge(service, heard("turn on the wipers", "turn on the wipers", meant=WARM))
    assert (one.meant, one.said, one.verdict) == (WARM, one.understood, Verdict.OTHER_INTENT)
    none = judge(service, heard("turn on the wipers", "turn on the wipers", meant=NOTHING))
    assert (none.verdict, none.is_wrong_action) == (Verdict.FALSE, True)


@pytest.mark.parametrize("text", ["How fast am I going?", "What time is it?", "No."])
def test_a_question_does_not_act(text: str, service: Understanding) -> None:
    one = judge(service, heard(text, "something else"))
    assert (one.verdict, one.acts, one.is_wrong_action) == (Verdict.FALSE, False, False)


@pytest.mark.parametrize("text", ["Pause it.", "Hang up.", "Undo that.", "Zoom in."])
def test_what_acts(text: str, service: Understanding) -> None:
    assert judge(service, heard(text, "something else")).is_wrong_action


@pytest.mark.parametrize(("confidence", "asked"), [(0.9, False), (0.4, True)])
def test_what_was_not_heard_well_is_asked_first(
    service: Understanding, confidence: float, *, asked: bool
) -> None:
    one = judge(service, replace(heard("Pause it.", "pause it"), confidence=confidence))
    assert (one.verdict, one.is_asked) == (Verdict.RIGHT, asked)
    question = judge(service, replace(heard("What time is it?", "x"), confidence=confidence))
    assert not question.is_asked


def test_phrases_and_pieces(service: Understanding) -> None:
    phrases = judge(service, heard("", "", must_contain=("what time", "is it")))
    assert phrases.meant == NOTHING
    piece = judge(service, heard("what time is it", "what time is it", cut=(0.0, 1.0)))
    assert (piece.meant, piece.verdict) == (NOTHING, Verdict.FALSE)
    piece = judge(service, heard("", "temperature to 21", meant=WARM, cut=(0.0, 1.0)))
    assert piece.verdict is Verdict.LEFT_ALONE


def test_a_language_without_sentences(service: Understanding) -> None:
    assert service.knows("en")
    assert not service.knows("fr")
    assert service.judge(heard("yes", "yes", language="fr")) is None
    assert service.name.startswith("the service: en with ")
    assert "fr" not in service.name


def test_whole_recordings_that_are_commands(service: Understanding) -> None:
    spoken = [
        heard("", "what time is it"),
        heard("", "time flies"),
        heard("", ""),
        heard("", "time flies", meant=WARM),
        heard("", "what time is it", meant=NOTHING),
        heard("", "oui", language="fr"),
    ]
    found = [service.is_command(one.utterance) for one in spoken]
    assert found == [True, False, False, True, False, False]


def test_the_service_may_leave_a_language_out(tmp_path: Path) -> None:
    config = Config()
    config = type(config)(intents=type(config.intents)(languages=("de",)))
    german = Understanding.of_service(config, ("de", "en"))
    assert (german.knows("de"), german.knows("en")) == (True, False)


def test_folders_alone(house: Path, tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.txt"
    contacts.write_text("Anna\n")
    found = Understanding.of_folders([house], ("en", "de"), NameFiles(contacts))
    one = judge(found, heard("Lamp in the kitchen!", "lamp in the hall"))
    assert (one.understood, one.acts, one.verdict) == (LAMP, True, Verdict.OTHER_SLOTS)
    assert judge(found, heard("call anna", "call anna")).understood.slots == (("who", "Anna"),)
    assert judge(found, heard("what time is it", "what time is it")).meant == NOTHING
    assert not found.knows("de")
    assert found.name == f"{house}: en with 1 intents and 2 templates"


def test_folders_that_cannot_be_used(house: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there are no intents in the language fr"):
        Understanding.of_folders([house], ("fr",), NameFiles())
    with pytest.raises(ConfigurationError, match="is no folder with intents"):
        Understanding.of_folders([tmp_path / "none"], ("en",), NameFiles())
    (house / "en/house.yaml").write_text("intents: {A: {data: [{sentences: ['{none}']}]}}")
    with pytest.raises(ConfigurationFaults):
        Understanding.of_folders([house], ("en",), NameFiles())
