"""Sentences drawn from templates."""

from pathlib import Path
from random import Random

import pytest

from rtap.intents.context import is_possible
from rtap.intents.grammar import Grammar
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.sampling import example, sample
from rtap.intents.sources import BUNDLED


def drawn(grammar: Grammar, number: int = 1) -> dict[str, list[str | None]]:
    random = Random(3)
    return {
        template.text or "": [sample(template.expression, grammar, random) for _ in range(number)]
        for intent in grammar.sentences.intents.values()
        for data in intent.data
        if is_possible(data.requires_context, {})
        for template in data.sentences
    }


def test_what_is_drawn(tmp_path: Path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "car.yaml").write_text(
        "intents: {A: {data: [{sentences: ['go [very] (far|near) <now> {to}', 'go {any}', 'go {none}', "
        "'(one;two) {1..3:n}']}]}}\n"
        "expansion_rules: {now: right now}\n"
        "lists: {to: {values: [home, work]}, any: {wildcard: true}, none: {file: contacts}}\n"
    )
    grammar = load_grammar("en", (tmp_path,))
    sentences = drawn(grammar, 100)
    assert {*sentences["go [very] (far|near) <now> {to}"]} == {
        f"go{very} {how} right now {to}"
        for very in ("", " very")
        for how in ("far", "near")
        for to in ("home", "work")
    }
    assert {*sentences["go {any}"], *sentences["go {none}"]} == {None}
    assert {*sentences["(one;two) {1..3:n}"]} == {
        f"{words} {number}" for words in ("one two", "two one") for number in (1, 2, 3)
    }
    assert example("A", grammar) is not None


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_drawn_from_what_we_bring_is_understood(language: str):
    grammar = load_grammar(language, (BUNDLED,))
    matcher = Matcher(grammar)
    unknown = []
    for sentences in drawn(grammar).values():
        for sentence in sentences:
            if sentence is not None:
                understood = matcher.understand(sentence)
                if understood.intent is None:
                    unknown.append((sentence, [other.name for other in understood.alternatives]))
    assert unknown == []


def test_examples_are_what_is_said_most(tmp_path: Path):
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "car.yaml").write_text(
        "intents: {A: {data: [{sentences: ['(open|put down) [<the>] (window|pane)']}]}}\n"
        "expansion_rules: {the: (the|my)}\n"
    )
    assert example("A", load_grammar("en", (tmp_path,))) == "open the window"


@pytest.mark.parametrize(
    ("intent", "sentence"),
    [
        ("AskTyrePressure", "wie ist der reifendruck"),
        ("CloseSunroof", "schließ das schiebedach"),
        ("EndCall", "beend den anruf"),
        ("NextTrack", "den nächsten song"),
        ("OpenTrunk", "öffne den kofferraum"),
        ("OpenWindow", "öffne das fenster"),
        ("RaiseDisplayBrightness", "mach den bildschirm etwas heller"),
        ("SetHighBeam", "schalt das fernlicht aus"),
        ("SetLaneAssist", "schalt den spurhalteassistent aus"),
        ("SetSeatHeating", "schalt die sitzheizung aus"),
        ("ShowTraffic", "wie ist der verkehr auf der strecke"),
    ],
)
def test_german_articles_fit(intent: str, sentence: str):
    assert example(intent, load_grammar("de", (BUNDLED,))) == sentence
