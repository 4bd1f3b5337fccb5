"""rtap.answers.template: what templates mean, and what is wrong with them."""

import re
from dataclasses import dataclass, field

import pytest

from rtap.answers.template import Hole, holes, parse, render


@dataclass
class Known:
    """Facts that a test writes down; a hole with words gets both names."""

    facts: dict[str, str] = field(default_factory=dict)
    is_many: bool = False

    def text(self, hole: Hole) -> str | None:
        name = hole.name if hole.words is None else f"{hole.words}:{hole.name}"
        return self.facts.get(name)


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("No hole.", "No hole."),
        ("{number} degrees", "21 degrees"),
        ("The light is {on_off:state}.", "The light is on."),
        ("The temperature is {number} [{where:zone}].", "The temperature is 21."),
        ("[In {zone}] it is {number}.", "it is 21."),
        ("[{number} [of {zone}]] done", "21 done"),
        ("The (window is|windows are) open.", "The window is open."),
        ("([{zone}] one|all) [of {number}] .", "one of 21."),
        ("{zone}", None),
        ("({number}|{zone})", "21"),
        ("{on_off:number}", None),
    ],
)
def test_meaning(template: str, sentence: str | None):
    known = Known({"number": "21", "on_off:state": "on"})
    assert render(parse(template), known) == sentence


def test_plural():
    assert render(parse("The (window is|[{a}] windows are) open."), Known(is_many=True)) == (
        "The windows are open."
    )


def test_a_fact_is_no_template():
    assert (
        render(parse("Calling {name}."), Known({"name": "A[{b}] (c|d)"})) == "Calling A[{b}] (c|d)."
    )


def test_holes():
    template = parse("{a} [{b}] ({c}|[{w:d}])")
    assert [hole.name for hole in holes(template)] == ["a", "b", "c", "d"]
    assert [hole.name for hole in holes(template, needed=True)] == ["a", "c"]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{", "a { without its other half"),
        ("a } b", "a } without its other half"),
        ("a ] b", "a ] without its other half"),
        ("a | b", "a | without its other half"),
        ("a [b", "a ] is missing"),
        ("a (b|c", "a ) is missing"),
        ("a (b", "a ) is missing"),
        ("a (b) c", "there is no | in ()"),
        ("a (b|c|d)", "a | without its other half"),
        ("[a (b|c])", "a ] without its other half"),
        ("{}", "{} has no name"),
        ("{Zone}", "{Zone} has no name"),
        ("{:zone}", "{:zone} has no name"),
        ("{a:b:c}", "{a:b:c} has no name"),
        ("[" * 50 + "]" * 50, "nested more than 8 deep"),
    ],
)
def test_faults(template: str, fault: str):
    with pytest.raises(ValueError, match=re.escape(fault)):
        parse(template)
