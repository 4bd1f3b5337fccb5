"""Which words may follow: the graph knows the sentences of the templates, and no others."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from rtap.intents import word_graph
from rtap.intents.grammar import Grammar
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.sampling import sample
from rtap.intents.word_graph import WordGraph, WordState


def grammar(folder: Path, *sentences: str, more: str = "", context: str = "") -> Grammar:
    """One with these templates."""
    lines = [f"          - {sentence!r}" for sentence in sentences]
    head = "intents:\n  Do:\n    data:\n      - sentences:\n"
    path = folder / "en" / "car.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head + "\n".join(lines), context, more]), "utf-8")
    return load_grammar("en", (folder,))


def after(graph: WordGraph, text: str) -> WordState | None:
    place: WordState | None = graph.start
    for word in text.split():
        place = None if place is None else place.following.get(word)
    return place


def is_sentence(graph: WordGraph, text: str) -> bool:
    place = after(graph, text)
    return place is not None and place.may_end


def every_sentence(place: WordState) -> set[str]:
    """All of them, for small graphs."""
    found = {""} if place.may_end else set()
    for word, following in place.following.items():
        found |= {f"{word} {rest}".strip() for rest in every_sentence(following)}
    return found


LISTS = """
lists:
  level: {range: {from: 1, to: 3}}
  degrees: {range: {from: 21, to: 22, fractions: halves}}
  side: {values: [left, "[far] right", {in: driver's, out: left}]}
  anything: {wildcard: true}
expansion_rules:
  the: (the|my)
  window: "{side} window[s]"
"""


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("open [the] door", {"open door", "open the door"}),
        ("(open|close) door[s]", {"open door", "open doors", "close door", "close doors"}),
        ("[please] go", {"go", "please go"}),
        ("(wind|sun)screen", {"windscreen", "sunscreen"}),
        ("(one;two) go", {"one two go", "two one go"}),
        (
            "(one;two;three)",
            {
                *("one two three", "one three two", "two one three"),
                *("two three one", "three one two", "three two one"),
            },
        ),
        ("stage {level}", {f"stage {one}" for one in ("1", "2", "3", "one", "two", "three")}),
        ("{degrees:warmth} degrees", {f"{one} degrees" for one in ("21", "21.5", "22", "22.5")}),
        (
            "at {2..6,2:speed}%",
            {"at 2 %", "at 4 %", "at 6 %", "at two%", "at four%", "at six%"},
        ),
        (
            "open <window>",
            {
                f"open {side} window{end}"
                for side in ("left", "right", "far right", "driver's")
                for end in ("", "s")
            },
        ),
        ("(find|play {anything})", {"find"}),
    ],
)
def test_small_grammars(template: str, expected: set[str], tmp_path: Path):
    graph = WordGraph(grammar(tmp_path, template, more=LISTS))
    assert every_sentence(graph.start) == expected


def test_what_cannot_be_said_without_a_wildcard_is_left_out(tmp_path: Path):
    more = "lists: {anything: {wildcard: true}, none: {file: contacts}}"
    graph = WordGraph(
        grammar(tmp_path, "play {anything}", "call {none}", "stop [{none}]", more=more)
    )
    assert every_sentence(graph.start) == {"stop"}
    assert graph.left_out == 2


def test_words_that_are_left_out_wherever_they_stand(tmp_path: Path):
    graph = WordGraph(grammar(tmp_path, "stop", more="skip_words: [please, could you]"))
    for text in ("stop", "please stop", "stop please", "could you stop please"):
        assert is_sentence(graph, text), text
    assert not is_sentence(graph, "please")


def test_values_that_a_sentence_does_not_take(tmp_path: Path):
    more = """
lists:
  name:
    values:
      - {in: lamp, out: 1, context: {domain: light}}
      - {in: blind, out: 2, context: {domain: cover}}
      - {in: radio, out: 3}
"""
    context = "        requires_context: {domain: [light, switch], area: {slot: true}}"
    graph = WordGraph(grammar(tmp_path, "light {name}", more=more, context=context))
    assert every_sentence(graph.start) == {"light lamp", "light radio"}


def test_what_continues_a_dialogue(tmp_path: Path):
    context = "        requires_context: {previous: [Do]}\n      - sentences: [warmer]"
    known = grammar(tmp_path, "a bit more", context=context)
    assert every_sentence(WordGraph(known).start) == {"warmer"}
    assert every_sentence(WordGraph(known, continuing=True).start) == {"warmer", "a bit more"}


def test_equal_places_are_the_same(tmp_path: Path):
    graph = WordGraph(grammar(tmp_path, "(open|close) the door"))
    assert after(graph, "open") is after(graph, "close")


def test_lists_and_rules_are_shared(tmp_path: Path):
    """Every template with every value of every list would be 1,800 million sentences."""
    values = ", ".join(f"thing {number}" for number in range(300))
    more = f"lists: {{a: {{values: [{values}]}}, b: {{values: [{values}]}}}}"
    templates = [f"do{number} {{a}} and {{b}} then {{a:c}}" for number in range(70)]
    graph = WordGraph(grammar(tmp_path, *templates, more=more))
    assert is_sentence(graph, "do7 thing 299 and thing 12 then thing 5")
    assert len(graph.start.following) == 70
    assert graph.size < 3_000


def test_a_graph_that_became_large_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(word_graph, "MOST_PARTS", 5)
    graph = WordGraph(grammar(tmp_path, "open [the] {side} window", more=LISTS))
    for _ in range(2):
        assert is_sentence(graph, "open the far right window")
        assert is_sentence(graph, "open left window")
        assert graph.size < 20


@pytest.mark.parametrize("language", ["en", "de"])
def test_it_has_what_we_bring_and_nothing_else(language: str):
    """Sentences that are drawn from templates are in the graph; those of the graph are understood."""
    known = load_grammar(language)
    graph = WordGraph(known)
    every = WordGraph(known, continuing=True)
    assert every.left_out < known.template_count / 20
    random = Random(1)
    missing = []
    for intent in known.sentences.intents.values():
        for data in intent.data:
            for template in data.sentences:
                sentence = sample(template.expression, known, random)
                if sentence is not None and not is_sentence(every, sentence):
                    missing.append(sentence)
    assert missing == []
    matcher = Matcher(known)
    walked = [walk(graph, random) for _ in range(60)]
    strange = [text for text in walked if matcher.understand(text).intent is None]
    # Two readings that fit equally well are none; what we bring has a few of these.
    assert len(strange) <= 3, strange


def walk(graph: WordGraph, random: Random) -> str:
    """Any sentence."""
    words: list[str] = []
    place = graph.start
    while not (place.may_end and (not place.following or random.random() < 0.5)):
        word = random.choice(list(place.following))
        words.append(word)
        place = place.following[word]
    return " ".join(words)
