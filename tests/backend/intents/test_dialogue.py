"""What becomes of turns: the tables of dialogues, and what no table shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtap.config import IntentsConfig
from rtap.errors import ConfigurationError
from rtap.intents.dialogue import DIALOGUE_SECONDS, LEAST_CONFIDENCE, Dialogue, Turn
from rtap.intents.intent import Intent
from rtap.intents.question import Kind
from rtap.intents.understander import Understander

DIALOGUES = Path(__file__).parent / "dialogues"
TURN = re.compile(
    r"(?:(?P<after>[\d.]+)s )?(?:(?P<sure>\d+)% )?(?:(?P<language>[a-z]{2}) )?(?P<text>.+?) -> (?P<result>.+)"
)


@pytest.fixture(scope="module")
def understander(tmp_path_factory: pytest.TempPathFactory) -> Understander:
    folder = tmp_path_factory.mktemp("names")
    contacts, places = folder / "contacts.txt", folder / "places.txt"
    contacts.write_text(
        "Anna Schmidt\nAnna Müller\nPeter Schmidt\nMum, Mama\nDr. Weber, Doktor Weber, Doctor Weber\n",
        "utf-8",
    )
    places.write_text("Home, Hause, nach Hause\nMunich Airport\nMunich Central Station\n", "utf-8")
    return Understander(IntentsConfig(contacts=contacts, places=places))


def shown(intent: Intent) -> str:
    """An intent as the tables write it."""
    slots = [
        f"{slot.name}={str(slot.value).lower() if isinstance(slot.value, bool) else slot.value}"
        f"{f' {slot.unit}' if slot.unit else ''}"
        for slot in intent.slots
    ]
    return ", ".join([intent.name, *slots])


def told(turn: Turn) -> str:
    """A turn as the tables write it."""
    parts = []
    if question := turn.question:
        options = [
            str(option.value(question.slot)) if question.slot else shown(option)
            for option in question.options
        ]
        kind = f"{question.kind}{f' {question.slot}' if question.slot else ''}"
        again = " again" if question.again else ""
        parts = [f"{kind}{again}: {', '.join(options)}"]
    elif turn.intent:
        parts = [shown(turn.intent)]
    if turn.dropped and not turn.question:
        parts.append("dropped")
    return ", ".join(parts) or "nothing"


def dialogues(language: str) -> list[list[str]]:
    lines = (DIALOGUES / f"{language}.txt").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return [block.splitlines() for block in text.split("\n\n") if block.strip()]


@pytest.mark.parametrize("language", ["en", "de"])
def test_tables(language: str, understander: Understander):
    wrong = []
    rows = dialogues(language)
    for row in rows:
        dialogue = Dialogue(understander)
        now = 0.0
        for line in row:
            turn = TURN.fullmatch(line)
            assert turn is not None, line
            now += float(turn["after"] or 1)
            heard = dialogue.hear(
                turn["text"], turn["language"] or language, int(turn["sure"] or 100) / 100, now
            )
            if told(heard) != turn["result"].strip():
                wrong.append(f"{row[0]} ... {line}: {told(heard)}")
    assert "\n".join(wrong) == ""
    assert len(rows) >= 30


def test_nothing_may_be_done_while_a_question_is_open(understander: Understander):
    dialogue = Dialogue(understander)
    which = dialogue.hear("Call Anna.", "en", 1.0, 0.0)
    assert which.question is not None
    assert which.question.kind is Kind.WHICH
    assert which.understanding.intent is None
    assert which.understanding.alternatives == which.question.options
    answered = dialogue.hear("The second.", "en", 0.9, 1.0)
    assert answered.understanding.intent == answered.intent
    assert answered.intent is not None
    assert (answered.intent.confidence, answered.intent.matching) == (0.9, 1.0)


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_heard_badly_is_never_done(language: str, understander: Understander):
    table = (DIALOGUES.parent / "sentences" / f"{language}.txt").read_text("utf-8").splitlines()
    turns = [
        Dialogue(understander).hear(line.split(" -> ")[0], language, LEAST_CONFIDENCE - 0.01, 0.0)
        for line in table
        if not line.startswith("#")
    ]
    done = {turn.intent.name for turn in turns if turn.intent}
    assert {name for name in done if understander.acts(name, language)} == set()
    assert sum(turn.question is not None for turn in turns) >= 75


def test_a_question_that_offers_a_sentence(understander: Understander):
    dialogue = Dialogue(understander)
    meant = dialogue.hear("Turn of the high beam.", "en", 0.8, 0.0)
    assert meant.question is not None
    assert meant.question.sentence == meant.understanding.did_you_mean
    assert meant.understanding.intent is None
    yes = dialogue.hear("Yes.", "en", 1.0, 1.0)
    assert yes.intent == meant.question.options[0]
    assert yes.intent.confidence == 0.8


def test_time_counts_from_the_end_of_the_answer(understander: Understander):
    for pause, expected in ((DIALOGUE_SECONDS, "OpenWindow, zone=right"), (10.1, "nothing")):
        dialogue = Dialogue(understander)
        dialogue.hear("Open the left window.", "en", 1.0, 0.0)
        dialogue.ended(4.0)
        assert told(dialogue.hear("And the right one too.", "en", 1.0, 4.0 + pause)) == expected


def test_time_counts_until_the_speaker_begins(understander: Understander):
    dialogue = Dialogue(understander)
    dialogue.hear("Open the left window.", "en", 1.0, 0.0)
    late = dialogue.hear("And the right one too.", "en", 1.0, 12.0, began=9.5)
    assert told(late) == "OpenWindow, zone=right"


def test_what_is_forgotten(understander: Understander):
    dialogue = Dialogue(understander)
    dialogue.hear("Open the left window.", "en", 1.0, 0.0)
    dialogue.forget()
    dialogue.ended(1.0)  # of an answer that went on
    assert told(dialogue.hear("And the right one too.", "en", 1.0, 1.0)) == "nothing"


@pytest.mark.parametrize("silence", ["", " "])
def test_silence_is_no_turn(silence: str, understander: Understander):
    dialogue = Dialogue(understander)
    dialogue.hear("Open the trunk.", "en", 0.2, 0.0)
    assert told(dialogue.hear(silence, "en", 0.0, 1.0)) == "nothing"
    assert told(dialogue.hear("Yes.", "en", 1.0, 2.0)) == "OpenTrunk"


def test_each_speaker_has_a_dialogue_of_its_own(understander: Understander):
    driver, passenger = Dialogue(understander), Dialogue(understander)
    driver.hear("Call Anna.", "en", 1.0, 0.0)
    assert told(passenger.hear("The second.", "en", 1.0, 1.0)) == "nothing"
    assert told(driver.hear("The second.", "en", 1.0, 2.0)) == "CallContact, contact=Anna Müller"


@pytest.mark.parametrize(("least", "expected"), [(0.7, "sure: OpenTrunk"), (0.6, "OpenTrunk")])
def test_the_confidence_below_which_it_asks(
    least: float, expected: str, understander: Understander
):
    assert told(Dialogue(understander, least).hear("Open the trunk.", "en", 0.6, 0.0)) == expected


def test_a_language_without_sentences(understander: Understander):
    with pytest.raises(ConfigurationError, match="no intents in the language fr"):
        Dialogue(understander).hear("Oui.", "fr", 1.0, 0.0)


def test_an_integrator_adds_what_continues_a_turn(tmp_path: Path):
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "box.yaml").write_text(
        "intents:\n"
        "  SetBox: {data: [{sentences: ['coffre à {light} [{row}]']}]}\n"
        "  DimBox:\n"
        "    data:\n"
        "      - sentences: ['assombris [{row}]']\n"
        "      - {sentences: [moins], requires_context: {previous: [SetBox, DimBox]}}\n"
        "  Likewise: {data: [{sentences: ['et {row}', 'et {light}'], requires_context: {previous: null}}]}\n"
        "lists:\n"
        "  light: {unit: percent, range: {from: 0, to: 100}}\n"
        "  row: {values: [{in: devant, out: front}, {in: derrière, out: rear}]}\n",
        "utf-8",
    )
    dialogue = Dialogue(Understander(IntentsConfig(folders=(str(tmp_path),))))
    turns = ["Coffre à 50 devant.", "Et derrière.", "Et 30 !", "Moins.", "Et devant."]
    assert [told(dialogue.hear(text, "fr", 1.0, 0.0)) for text in turns] == [
        "SetBox, light=50 percent, row=front",
        "SetBox, light=50 percent, row=rear",
        "SetBox, light=30 percent, row=rear",
        "DimBox, row=rear",
        "DimBox, row=front",
    ]
