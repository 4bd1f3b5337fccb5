"""rtap.answers.answerer: every command and outcome has its sentence, in English and German."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hassil import RangeSlotList, TextSlotList

from rtap.answers.answer import Answer, Earcon
from rtap.answers.answerer import Answerer
from rtap.answers.layers import BUNDLED
from rtap.answers.phrases import Phrases
from rtap.answers.reader import read_phrases
from rtap.intents import expressions
from rtap.intents.context import BORROWERS
from rtap.intents.grammar import Grammar
from rtap.intents.intent import Intent, Slot, Understanding, Value
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED as GRAMMARS
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.result import ActionResult, Cause, Held, Outcome, Reason
from tests.backend.vehicle.cars import intent, table, words

TABLES = Path(__file__).parent / "sentences"
LANGUAGES = ("en", "de")
NOW = datetime(2026, 11, 30, 15, 5)  # noqa: DTZ001 (the car's own time)
SENTENCES = re.compile(r"[A-ZÄÖÜ0-9](?!.* [ .,?])[^{}\[\]()|_<>*]*[.?]")
PLACES = ("zone", "window", "side")
"""Slots that are often left out."""
GENERAL = {
    "en": {"Done.", "I am passing that on."},
    "de": {"Erledigt.", "Ich gebe das weiter."},
}
"""What is said where an intent has no sentence of its own."""


def answerer(now: datetime = NOW) -> Answerer:
    return Answerer({language: phrases(language) for language in LANGUAGES}, lambda: now)


@cache
def phrases(language: str) -> Phrases:
    return read_phrases(language, [BUNDLED], words())


@cache
def grammar(language: str, folder: Path) -> Grammar:
    contacts, places = folder / "contacts.txt", folder / "places.txt"
    contacts.write_text("Anna Huber, Anna\nMum, Mama\nDr. Weber, Doktor Weber\n", "utf-8")
    places.write_text(
        "Home, Hause, nach Hause\nMunich, München\nWork, Arbeit\nSt. Pölten\n", "utf-8"
    )
    return load_grammar(language, [GRAMMARS], NameFiles(contacts, places))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names")


def understood(meant: Intent | None, language: str = "en", **more) -> Understanding:
    return Understanding("what was said", language, meant, **more)


def act(meant: Intent) -> ActionResult:
    """What a car does that nobody has set anything in."""
    return Actor(SimulatedVehicle(table().signals, None), table(), speed_limit=5).execute(meant)


def refused(cause: Cause) -> ActionResult:
    return ActionResult("", Outcome.REFUSED, reason=Reason(cause, "reason"))


def timed_out() -> ActionResult:
    return ActionResult("", Outcome.TIMED_OUT, reason=Reason(None, "reason"))


def done(*held: Held) -> ActionResult:
    return ActionResult("", Outcome.DONE, held)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_answered_to_drivers(language: str, folder: Path):
    matcher = Matcher(grammar(language, folder))
    wrong, tried = [], set()
    for line in (TABLES / f"{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        text, expected = line.split(" -> ")
        understanding = matcher.understand(text)
        assert understanding.intent is not None, text
        tried.add(understanding.intent.name)
        answer = answerer().answer(understanding, act(understanding.intent))
        assert answer.language == language
        if answer.text != expected:
            wrong.append(f"{text}: {answer.text}, not {expected}")
    assert wrong == []
    assert sorted(words().keys() - tried - set(BORROWERS)) == []


def choices(slot: str, list_name: str, known: Grammar) -> list[Slot | None]:
    """What a list can fill a slot with, of a range its ends; None where it may be left out."""
    filled = known.sentences.slot_lists[list_name]
    found: list[Value] = []
    if isinstance(filled, TextSlotList):
        found = [plain(value.value_out) for value in filled.values]
    elif isinstance(filled, RangeSlotList):
        found = [filled.start, filled.stop, filled.start + 0.5]
    unit = next((unit for (_, _, name), unit in known.units.items() if name == slot), None)
    without: list[Slot | None] = [None] if slot in PLACES else []
    return without + [Slot(slot, value, unit, "words") for value in dict.fromkeys(found)]


def plain(value: object) -> Value:
    return value if isinstance(value, str | int | float | bool) else str(value)


def intents(known: Grammar) -> Iterator[Intent]:
    """Every intent with every set of slots that a template has, and all values of their lists.

    But for those that a dialogue replaces by others before anything is answered.
    """
    lists, rules = known.sentences.slot_lists, known.sentences.expansion_rules
    for name, data in known.sentences.intents.items():
        if name in BORROWERS:
            continue
        for of_block, sentence in [
            (one.slots, each) for one in data.data for each in one.sentences
        ]:
            always = {slot: plain(value) for slot, value in (of_block or {}).items()}
            filled = dict(expressions.slots(sentence.expression, lists, rules))
            said = [choices(slot, one, known) for slot, one in filled.items() if slot not in always]
            for chosen in product(*filter(None, said)):
                slots = [Slot(slot, value, None, "") for slot, value in always.items()]
                slots += [slot for slot in chosen if slot is not None]
                yield Intent(name, tuple(sorted(slots, key=lambda slot: slot.name)), 1, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_outcome_and_cause_has_a_sentence(language: str, folder: Path):
    answer = answerer().answer
    wrong: list[str] = []
    meant = set(intents(grammar(language, folder)))
    for one in meant:
        happened = act(one)
        for result in (happened, None, timed_out(), done(), *map(refused, Cause)):
            text = answer(understood(one, language), result).text
            if not SENTENCES.fullmatch(text):
                wrong.append(f"{one} {result}: {text}")
        text = answer(understood(one, language), happened).text
        if text in GENERAL[language]:
            wrong.append(f"{one} {happened} has only: {text}")
    assert wrong == []
    assert {one.name for one in meant} == words().keys() - set(BORROWERS)
    assert len(meant) > 1000


@pytest.mark.parametrize(
    ("meant", "result", "english", "german"),
    [
        (
            intent("SetTemperature", "celsius", temperature=40),
            refused(Cause.OUT_OF_RANGE),
            "I cannot set the temperature to 40 degrees.",
            "Auf 40 Grad kann ich die Temperatur nicht stellen.",
        ),
        (
            intent("SetTemperature", "celsius", temperature=40),
            act(intent("SetTemperature", "celsius", temperature=40)),
            "The temperature goes from 16 degrees to 28 degrees.",
            "Die Temperatur geht von 16 Grad bis 28 Grad.",
        ),
        (
            intent("SetTemperature", "fahrenheit", temperature=90),
            act(intent("SetTemperature", "fahrenheit", temperature=90)),
            "The temperature goes from 61 degrees to 82 degrees.",
            "Die Temperatur geht von 61 Grad Fahrenheit bis 82 Grad Fahrenheit.",
        ),
        (
            intent("OpenTrunk"),
            refused(Cause.MOVING),
            "The trunk stays closed while the car is moving.",
            "Während der Fahrt bleibt der Kofferraum zu.",
        ),
        (
            intent("RaiseVolume"),
            refused(Cause.AT_LIMIT),
            "It cannot get any louder.",
            "Lauter geht es nicht.",
        ),
        (
            intent("SetDriveMode", mode="offroad"),
            refused(Cause.OUT_OF_RANGE),
            "This car has no off-road mode.",
            "Dieses Auto hat keinen Geländemodus.",
        ),
        (
            intent("OpenWindow"),
            refused(Cause.NO_SUCH_PLACE),
            "The car does not have that there.",
            "Das hat das Auto dort nicht.",
        ),
        (
            intent("AskFuel"),
            refused(Cause.NO_VALUE),
            "The car does not know that just now.",
            "Das weiß das Auto gerade nicht.",
        ),
        (
            intent("OpenWindow"),
            timed_out(),
            "The car did not answer in time. It may still do it.",
            "Das Auto hat nicht rechtzeitig geantwortet. Vielleicht tut es das noch.",
        ),
        (
            intent("Undo"),
            refused(Cause.NOTHING_TO_UNDO),
            "There is nothing to take back.",
            "Es gibt nichts rückgängig zu machen.",
        ),
        (
            intent("Undo"),
            done(Held("Vehicle.Cabin.Sunroof.Position", 0, "percent")),
            "I took that back.",
            "Ich habe es rückgängig gemacht.",
        ),
        (intent("OpenWindow"), None, "I understood that.", "Verstanden."),
        # Values as the car has them.
        (
            intent("RaiseTemperature"),
            done(Held("A.Temperature", 22.0, "celsius"), Held("B.Temperature", 24.5, "celsius")),
            "The temperature is now between 22 degrees and 24.5 degrees.",
            "Die Temperatur liegt jetzt zwischen 22 Grad und 24,5 Grad.",
        ),
        (
            intent("SetTemperature", "fahrenheit", temperature=72),
            done(Held("A.Temperature", 22.0, "celsius")),
            "The temperature is 72 degrees.",
            "Die Temperatur steht auf 72 Grad Fahrenheit.",
        ),
        (
            intent("AskOutsideTemperature"),
            done(Held("Vehicle.Exterior.AirTemperature", -0.5, "celsius")),
            "It is minus 0.5 degrees outside.",
            "Draußen sind es minus 0,5 Grad.",
        ),
        (
            intent("AskOutsideTemperature"),
            done(Held("Vehicle.Exterior.AirTemperature", -0.01, "celsius")),
            "It is 0 degrees outside.",
            "Draußen sind es 0 Grad.",
        ),
        (
            intent("AskOutsideTemperature"),
            done(Held("Vehicle.Exterior.AirTemperature", 1, "celsius")),
            "It is 1 degree outside.",
            "Draußen sind es 1 Grad.",
        ),
        (
            intent("AskRange"),
            done(Held("Vehicle.Powertrain.Range", 1400, "m")),
            "You can drive another 1 kilometre.",
            "Du kannst noch 1 Kilometer fahren.",
        ),
        (
            intent("AskTyrePressure"),
            done(
                Held("Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure", 240, "kPa"),
                Held("Vehicle.Chassis.Axle.Row2.Wheel.Left.Tire.Pressure", 190, "kPa"),
            ),
            "The tyres have 2.4 bar at the front left and 1.9 bar at the rear left.",
            "Die Reifen haben vorne links 2,4 Bar und hinten links 1,9 Bar.",
        ),
        (
            intent("AskTyrePressure"),
            done(Held("Own.A.Pressure", 240, "kPa"), Held("Own.B.Pressure", 190, "kPa")),
            "The tyre pressure is between 1.9 bar and 2.4 bar.",
            "Der Reifendruck liegt zwischen 1,9 Bar und 2,4 Bar.",
        ),
        # What the car has of another kind than we expect.
        (intent("AskSpeed"), done(Held("Vehicle.Speed", True, None)), "Done.", "Erledigt."),
        (
            intent("OpenWindow", zone="third_row"),
            done(Held("Own.Window.Position", 100, "percent")),
            "The window is open.",
            "Das Fenster ist offen.",
        ),
        (intent("NobodysOwn", color="mauve"), done(), "Done.", "Erledigt."),
    ],
)
def test_outcomes(meant: Intent, result: ActionResult | None, english: str, german: str):
    assert answerer().answer(understood(meant, "en"), result).text == english
    assert answerer().answer(understood(meant, "de"), result).text == german


@pytest.mark.parametrize(
    ("understanding", "english", "german", "earcon"),
    [
        (
            understood(None),
            "I did not understand that.",
            "Das habe ich nicht verstanden.",
            Earcon.FAILED,
        ),
        (
            understood(None, did_you_mean="warmer"),
            "I did not understand that. Did you mean: warmer?",
            "Das habe ich nicht verstanden. Meintest du: warmer?",
            Earcon.QUESTION,
        ),
        (
            understood(
                None,
                alternatives=(
                    intent("CallContact", contact="Anna Huber"),
                    intent("CallContact", contact="Anna Weber"),
                ),
            ),
            "Do you mean Anna Huber or Anna Weber?",
            "Meinst du Anna Huber oder Anna Weber?",
            Earcon.QUESTION,
        ),
        # Nothing that one could say in a question.
        (
            understood(
                None,
                alternatives=(
                    intent("OpenWindow", zone="front_left"),
                    intent("OpenWindow", zone="rear_left"),
                ),
            ),
            "I did not understand that.",
            "Das habe ich nicht verstanden.",
            Earcon.FAILED,
        ),
        (
            understood(None, alternatives=(intent("OpenWindow"), intent("OpenTrunk"))),
            "I did not understand that.",
            "Das habe ich nicht verstanden.",
            Earcon.FAILED,
        ),
    ],
)
def test_what_is_no_command(
    understanding: Understanding, english: str, german: str, earcon: Earcon
):
    assert answerer().answer(understanding, None) == Answer(english, "en", earcon)
    in_german = replace(understanding, language="de")
    assert answerer().answer(in_german, None) == Answer(german, "de", earcon)


@pytest.mark.parametrize(
    ("result", "earcon"),
    [
        (done(), Earcon.DONE),
        (None, Earcon.HEARD),
        (refused(Cause.ELSEWHERE), Earcon.HEARD),
        (refused(Cause.MOVING), Earcon.FAILED),
        (timed_out(), Earcon.FAILED),
    ],
)
def test_earcons(result: ActionResult | None, earcon: Earcon):
    assert answerer().answer(understood(intent("OpenTrunk")), result).earcon is earcon


def test_an_unknown_language_gets_english():
    answer = answerer().answer(understood(intent("CloseTrunk"), "fr"), done())
    assert answer == Answer("The trunk is closed.", "en", Earcon.DONE)


@pytest.mark.parametrize(
    ("hour", "minute", "english", "german"),
    [
        (0, 0, "It is 12:00 a.m.", "Es ist 0 Uhr."),
        (9, 5, "It is 9:05 a.m.", "Es ist 9 Uhr 5."),
        (12, 30, "It is 12:30 p.m.", "Es ist 12 Uhr 30."),
        (23, 59, "It is 11:59 p.m.", "Es ist 23 Uhr 59."),
    ],
)
def test_the_clock(hour: int, minute: int, english: str, german: str):
    answers = answerer(NOW.replace(hour=hour, minute=minute))
    for language, text in (("en", english), ("de", german)):
        understanding = understood(intent("AskTime"), language)
        assert answers.answer(understanding, refused(Cause.ELSEWHERE)).text == text


def test_repeat_gives_the_answer_before():
    before = Answer("The trunk is closed.", "en", Earcon.DONE)
    repeat = understood(intent("Repeat"))
    elsewhere = refused(Cause.ELSEWHERE)
    assert answerer().answer(repeat, elsewhere, before) is before
    assert answerer().answer(repeat, elsewhere).text == "There is nothing to repeat."


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_names_commands_that_are_understood(language: str, folder: Path):
    matcher = Matcher(grammar(language, folder))
    text = answerer().answer(understood(intent("AskHelp"), language), refused(Cause.ELSEWHERE)).text
    examples = re.split(r",(?: or| oder)? ", text.split(": ")[1].rstrip("."))
    assert len(examples) >= 5
    assert [one for one in examples if matcher.understand(one).intent is None] == []
