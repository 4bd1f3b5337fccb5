"""What a sentence means after a turn."""

from pathlib import Path

import pytest

from rtap.intents.context import Context
from rtap.intents.intent import Intent
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import MOST_OPTIONS, Matcher
from rtap.intents.names import NameFiles
from rtap.intents.question import Kind, Question

CAR = """\
intents:
  Heat: {data: [{sentences: ["heat to {warmth:value} [{zone}]"]}]}
  Open:
    data:
      - sentences: ["open [{zone}]", "open to {share:value} [{zone}]"]
      - {sentences: ["all open"], slots: {state: true}}
  Call: {data: [{sentences: ["call {who}"]}]}
  Likewise:
    data:
      - sentences: ["and {zone}", "and {warmth:value}", "and {share:value}", again]
        requires_context: {previous: null}
      - {sentences: ["no {warmth:value}"], requires_context: {question: sure}}
  Choose: {data: [{sentences: ["[the] {who}", "number {1..30:number}"], requires_context: {question: which}}]}
lists:
  warmth: {unit: celsius, range: {from: 14, to: 30}}
  share: {unit: percent, range: {from: 0, to: 100, step: 10}}
  zone: {values: [front, rear]}
  who: {file: contacts}
"""


@pytest.fixture
def matcher(tmp_path: Path) -> Matcher:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "car.yaml").write_text(CAR)
    contacts = tmp_path / "contacts.txt"
    contacts.write_text("\n".join(f"Anna Number{chr(number)}" for number in range(65, 90)))
    return Matcher(load_grammar("en", (tmp_path,), NameFiles(contacts)))


def intent(matcher: Matcher, text: str, context: Context | None = None) -> Intent:
    found = matcher.understand(text, context=context or Context()).intent
    assert found is not None
    return found


def values(one: Intent) -> dict[str, object]:
    return {slot.name: slot.value for slot in one.slots}


def test_a_value_of_the_unit_that_the_intent_has(matcher: Matcher):
    """20 is a temperature and a share."""
    for text, unit in (("heat to 21 rear", "celsius"), ("open to 50 rear", "percent")):
        again = intent(matcher, "and 20", Context(previous=intent(matcher, text)))
        assert again.name == text.split()[0].capitalize()
        assert values(again) == {"value": 20, "zone": "rear"}
        assert again.slots[0].unit == unit


def test_slots_that_no_sentence_has_together_are_not_mixed(matcher: Matcher):
    before = Context(previous=intent(matcher, "all open"))
    assert values(intent(matcher, "and front", before)) == {"zone": "front"}
    assert values(intent(matcher, "again", before)) == {"state": True}


def test_slots_that_the_intent_has_not(matcher: Matcher):
    calling = Context(previous=intent(matcher, "call anna numbera"))
    assert matcher.understand("and front", context=calling).intent is None


def test_what_continues_nothing(matcher: Matcher):
    for text in ("and front", "again", "number 2", "the numbera", "no 20"):
        assert matcher.understand(text).intent is None


def test_an_intent_of_a_grammar_in_another_language(matcher: Matcher):
    before = Context(previous=Intent("Refroidir", (), 1, 1))
    assert matcher.understand("and front", context=before).intent is None


def test_an_answer_puts_right_what_is_asked_for(matcher: Matcher):
    question = Question(Kind.SURE, (intent(matcher, "heat to 25 front"),))
    assert values(intent(matcher, "no 22", Context(question=question))) == {
        "value": 22,
        "zone": "front",
    }


def test_one_of_several(matcher: Matcher):
    several = matcher.understand("call anna")
    assert several.intent is None
    assert len(several.alternatives) == MOST_OPTIONS
    which = Context(question=Question(Kind.WHICH, several.alternatives, slot="who"))
    assert values(intent(matcher, "number 2", which)) == {"who": "Anna NumberB"}
    assert values(intent(matcher, "the numberc", which)) == {"who": "Anna NumberC"}
    for text in ("number 25", "the numbery", "and front"):
        assert matcher.understand(text, context=which).intent is None


def test_what_was_said_before_as_sentences_require_it(matcher: Matcher):
    opened = intent(matcher, "open to 50 rear")
    assert Context(previous=opened).plain() == {"previous": "Open", "value": 50, "zone": "rear"}
    asked = Context(opened, Question(Kind.SURE, (opened,)))
    assert asked.plain() == {"question": "sure"}
    assert Context().plain() == {}
