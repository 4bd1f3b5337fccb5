"""Commands that are drawn from a grammar."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from rtap.errors import ConfigurationError
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.sources import BUNDLED
from tools.model.evaluation.meaning import Meaning
from tools.model.speaking.commands import Command, draw, read

GRAMMAR = """
intents:
  SetFan: {data: [{sentences: ['fan [to] {level}', 'blow at {level}', 'ventilate {level}']}]}
  Stop: {data: [{sentences: [stop]}]}
  Call: {data: [{sentences: ['call {who}']}]}
  Clash: {data: [{sentences: ['fan to {level:other}']}]}
lists:
  level: {range: {from: 1, to: 9}}
  who: {file: contacts}
"""


@pytest.fixture
def matcher(tmp_path: Path) -> Matcher:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/car.yaml").write_text(GRAMMAR)
    return Matcher(load_grammar("en", (tmp_path,)))


def test_each_is_understood_as_the_intent_that_it_stands_under(matcher: Matcher) -> None:
    found = draw(matcher, 15, Random(1))
    assert len({one.text for one in found}) == 15
    for one in found:
        understood = matcher.understand(one.text).intent
        assert understood is not None
        assert understood.name == one.meaning.intent
    assert Counter(one.meaning.intent for one in found) == {"SetFan": 14, "Stop": 1}
    levels = {one.meaning.slots for one in found if one.meaning.intent == "SetFan"}
    assert (("level", 3),) in levels
    assert Meaning("Stop") in {one.meaning for one in found}


def test_the_same_with_the_same_seed(matcher: Matcher) -> None:
    assert draw(matcher, 9, Random(1)) == draw(matcher, 9, Random(1)) != draw(matcher, 9, Random(2))


def test_more_than_there_are(matcher: Matcher) -> None:
    with pytest.raises(ConfigurationError, match=r"the grammar has \d+ sentences, and not 90"):
        draw(matcher, 90, Random(1))


@pytest.mark.parametrize("language", ["en", "de"])
def test_intents_take_turns(language: str) -> None:
    matcher = Matcher(load_grammar(language, (BUNDLED,)))
    # Without contacts and places there is nobody to call, and nowhere to go.
    drawn = [one.meaning.intent for one in draw(matcher, 95, Random(1))]
    counts = Counter(drawn)
    assert len(counts) >= 90
    assert max(counts.values()) <= 2


def test_sentences_of_a_file(matcher: Matcher, tmp_path: Path) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("# fans\n\n Fan  3, please.\nStop!\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"sentences\.txt:3: the grammar does not under"):
        read(file, matcher)
    file.write_text("# fans\n\n Fan  3.\nStop!\n", "utf-8")
    assert read(file, matcher) == [
        Command("Fan 3.", Meaning("SetFan", (("level", 3),))),
        Command("Stop!", Meaning("Stop")),
    ]
    with pytest.raises(ConfigurationError, match=r"none\.txt cannot be read"):
        read(tmp_path / "none.txt", matcher)
