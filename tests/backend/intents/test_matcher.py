"""Which reading of a text counts, and what is offered where there is none."""

from pathlib import Path

import pytest

from rtap.intents.intent import Intent, Slot
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import LONGEST_TEXT, Matcher


@pytest.fixture
def grammar(tmp_path: Path):
    def make(text: str) -> Matcher:
        (tmp_path / "en").mkdir()
        (tmp_path / "en" / "car.yaml").write_text(text, "utf-8")
        return Matcher(load_grammar("en", (tmp_path,)))

    return make


HEAT = """\
intents:
  Heat:
    data:
      - sentences: ["heat to {warmth:temperature} degrees [{zone}]"]
      - sentences: ["heat fully"]
        slots: {temperature: 30}
lists:
  warmth: {unit: celsius, range: {from: 14, to: 30, fractions: halves}}
  zone: {values: [{in: "(front|in front)", out: front}, {in: everywhere, out: all}]}
spellings: {"°C": degrees}
skip_words: [please, could you]
"""


def test_an_intent_with_slots_and_units(grammar):
    understanding = grammar(HEAT).understand("Could you heat to 21.5°C in front, please?", 0.8)
    assert understanding.intent == Intent(
        "Heat",
        (
            Slot("temperature", 21.5, "celsius", "21.5"),
            Slot("zone", "front", None, "in front"),
        ),
        confidence=0.8,
        matching=1.0,
    )
    assert (understanding.language, understanding.did_you_mean) == ("en", None)
    assert understanding.intent.value("zone") == "front"
    assert understanding.intent.value("wind") is None


@pytest.mark.parametrize("text", ["tell me what time it is", "Tell me what time it's."])
def test_a_short_form_of_several_words_is_one_in_templates_too(grammar, text):
    matcher = grammar(
        "intents: {Time: {data: [{sentences: ['[tell me] what time it is [now]']}]}}\n"
        "spellings: {it is: it's}\n"
    )
    intent = matcher.understand(text).intent
    assert intent is not None
    assert intent.name == "Time"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("heat to twenty one degrees", 21),
        ("Heat to twenty-one degrees.", 21),
        ("heat to 21 degrees", 21),
        ("heat to 21,5 degrees", 21.5),
        ("heat to twenty one point five degrees", 21.5),
        ("HEAT TO 21 DEGREES", 21),
    ],
)
def test_ways_to_write_a_number(text: str, value: float, grammar):
    intent = grammar(HEAT).understand(text).intent
    assert intent is not None
    assert intent.value("temperature") == value
    assert type(intent.value("temperature")) is type(value)


def test_a_slot_that_the_sentence_implies(grammar):
    intent = grammar(HEAT).understand("Heat fully.").intent
    assert intent is not None
    assert intent.slots == (Slot("temperature", 30, None, ""),)


@pytest.mark.parametrize(
    "text",
    [
        "heat to 45 degrees",
        "heat to 21 degrees or so",
        "we heat fully",
        "heat",
        "",
        " . ",
        "x" * 1_000,
    ],
)
def test_only_the_whole_sentence_matches(text: str, grammar):
    assert grammar(HEAT).understand(text).intent is None


def test_longer_speech_is_no_command(grammar):
    matcher = grammar(
        "intents: {Go: {data: [{sentences: ['go {way}']}]}}\nlists: {way: {wildcard: true}}"
    )
    assert matcher.understand("go " + "on " * LONGEST_TEXT).alternatives == ()


def test_words_of_the_template_count_more_than_lists_and_wildcards(grammar):
    matcher = grammar(
        "intents:\n"
        "  Anything: {data: [{sentences: ['play {what}']}]}\n"
        "  Source: {data: [{sentences: ['play {source}']}]}\n"
        "  Radio: {data: [{sentences: ['play the radio']}]}\n"
        "lists:\n"
        "  what: {wildcard: true}\n"
        "  source: {values: [the radio, the disc]}\n"
    )
    radio, disc = matcher.understand("Play the radio."), matcher.understand("Play the disc.")
    assert radio.intent is not None
    assert disc.intent is not None
    assert [radio.intent.name, *(other.name for other in radio.alternatives)] == [
        "Radio", "Source", "Anything",
    ]  # fmt: skip
    assert [disc.intent.name, *(other.name for other in disc.alternatives)] == [
        "Source",
        "Anything",
    ]


def test_what_a_wildcard_takes_is_a_guess_and_does_not_act(grammar):
    matcher = grammar(
        "intents: {Go: {data: [{sentences: ['go {way}']}]}}\nlists: {way: {wildcard: true}}"
    )
    guess = matcher.understand("go wherever the road will lead us")
    assert guess.intent is None
    assert [other.name for other in guess.alternatives] == ["Go"]
    assert guess.alternatives[0].matching < 0.1


def test_readings_that_fit_equally_well_do_not_act(grammar):
    matcher = grammar(
        "intents:\n  A: {data: [{sentences: ['take (it|that)']}]}\n  B: {data: [{sentences: ['take [it]']}]}"
    )
    both = matcher.understand("take it")
    assert both.intent is None
    assert [(other.name, other.matching) for other in both.alternatives] == [("A", 0.5), ("B", 0.5)]
    assert matcher.understand("take that").intent is not None


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("heat to 23 degree everywhere", "heat to 23 degrees everywhere"),
        ("eat fully", "heat fully"),
        ("what a lovely day", None),
    ],
)
def test_the_nearest_sentence_is_offered_and_nothing_done(text: str, offered: str | None, grammar):
    understanding = grammar(HEAT).understand(text)
    assert understanding.intent is None
    assert understanding.did_you_mean == offered


def test_the_nearest_sentence_would_be_understood(grammar):
    matcher = grammar(HEAT)
    offered = matcher.understand("heat to 99 degree").did_you_mean
    assert offered is not None
    assert matcher.understand(offered).intent is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heat fully!", True),
        ("Could you heat to 21.5°C in front?", True),
        ("Say so", True),
        ("say anything that comes to your mind", False),
        ("heat to 50 degrees", False),
        ("heat", False),
        ("", False),
        ("heat " * LONGEST_TEXT, False),
    ],
)
def test_whether_a_text_is_understood(grammar, text: str, *, expected: bool):
    more = "  Say: {data: [{sentences: ['say {words}']}]}\nlists:\n  words: {wildcard: true}\n"
    matcher = grammar(HEAT.replace("lists:\n", more))
    assert (matcher.meaning(text) is not None) is expected
    assert (matcher.understand(text).intent is not None) is expected


def test_texts_that_mean_the_same(grammar):
    matcher = grammar(HEAT)
    same = (
        "Heat to 21 degrees.",
        "please heat to twenty one °C",
        "Could you heat to 21.0 degrees?",
    )
    assert len({matcher.meaning(text) for text in same}) == 1
    others = ("heat to 22 degrees", "heat to 21 degrees in front", "heat fully")
    assert len({matcher.meaning(text) for text in (*same, *others)}) == 4
