"""rtap.answers.configured: the answerer of a configuration."""

from pathlib import Path

import pytest

from rtap.answers.configured import make_answerer
from rtap.config import AnswersConfig, Config, IntentsConfig
from rtap.errors import ConfigurationFaults
from rtap.intents.intent import Understanding
from rtap.vehicle.result import ActionResult, Outcome
from tests.backend.vehicle.cars import intent


def config(tmp_path: Path, answers: str) -> Config:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "en.yaml").write_text(answers)
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "box.yaml").write_text(
        "intents: {OpenRoofBox: {data: [{sentences: [open the roof box]}]}}\n"
    )
    return Config(
        intents=IntentsConfig(folders=(str(tmp_path),)),
        answers=AnswersConfig(folders=(str(tmp_path / "answers"),)),
    )


def test_sentences_for_intents_of_ones_own(tmp_path: Path):
    answerer = make_answerer(config(tmp_path, "intents: {OpenRoofBox: {done: The box is open.}}"))
    done = ActionResult("OpenRoofBox", Outcome.DONE)
    answer = answerer.answer(Understanding("", "en", intent("OpenRoofBox")), done)
    assert answer.text == "The box is open."
    in_german = answerer.answer(Understanding("", "de", intent("OpenRoofBox")), done)
    assert (in_german.text, in_german.language) == ("Erledigt.", "de")


def test_faults_of_all_languages(tmp_path: Path):
    made = config(tmp_path, "a: 1")
    (tmp_path / "answers" / "de.yaml").write_text("b: 1")
    with pytest.raises(ConfigurationFaults) as caught:
        make_answerer(made)
    assert {Path(fault.split(":")[0]).name for fault in caught.value.faults} == {
        "en.yaml",
        "de.yaml",
    }
