import random
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.model.cabin.grammar import Choice, Grammar, Sequence

SMALL = """#JSGF V1.0;
grammar small;
<number> = one | two; // a comment
public <climate> = set the (heat | fan) to <number> [please];
public <answer> = /9/ yes | /1/ no;
"""


def grammar(tmp_path: Path, text: str) -> Grammar:
    file = tmp_path / "test.jsgf"
    file.write_text(text, encoding="utf-8")
    return Grammar.read(file)


def every_sentence(rules: Grammar, choice: Choice) -> set[str]:
    """All that a rule can say, by counting up instead of drawing."""

    def said(sequence: Sequence) -> set[str]:
        texts = {""}
        for item in sequence.items:
            if isinstance(item, Choice):
                more = every_sentence(rules, item)
            elif item.startswith("<"):
                more = every_sentence(rules, rules.rules[item[1:-1]])
            else:
                more = {item}
            texts = {f"{text} {one}".strip() for text in texts for one in more}
        return texts

    return set().union(*map(said, choice.alternatives))


def test_reads_groups_options_references_and_comments(tmp_path: Path) -> None:
    small = grammar(tmp_path, SMALL)
    assert small.public == ("climate", "answer")
    assert every_sentence(small, small.rules["climate"]) == {
        f"set the {what} to {number}{please}"
        for what in ("heat", "fan")
        for number in ("one", "two")
        for please in ("", " please")
    }
    assert small.vocabulary == tuple(
        sorted(["set", "the", "heat", "fan", "to", "one", "two", "please", "yes", "no"])
    )


def test_draws_everything_and_nothing_else(tmp_path: Path) -> None:
    small = grammar(tmp_path, SMALL)
    rng = random.Random(0)
    drawn = {small.sentence(rng) for _ in range(500)}
    assert drawn == every_sentence(small, small.rules["climate"]) | {"yes", "no"}


def test_weights_count(tmp_path: Path) -> None:
    small = grammar(tmp_path, SMALL)
    rng = random.Random(0)
    drawn = [small.phrase(rng, "answer") for _ in range(1000)]
    assert 860 < drawn.count("yes") < 940


def test_the_same_seed_draws_the_same() -> None:
    one, two = (
        [Grammar.read().sentence(rng) for _ in range(20)] for rng in map(random.Random, (5, 5))
    )
    assert one == two


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("public <a> = one (two | three;", "lacks a closing"),
        ("public <a> = one two];", "closes a bracket that it did not open"),
        ("public <a> = one <b>;", "uses <b>, which is not defined"),
        ("<a> = one;", "no public rule"),
        ("public <a> = one / two;", "a character that this reader does not know"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        grammar(tmp_path, text)


class TestCommands:
    """The grammar that the model learns."""

    rules = Grammar.read()

    def test_has_the_words_of_a_car(self) -> None:
        assert len(self.rules.vocabulary) >= 250
        for word in [
            "navigate",
            "call",
            "radio",
            "temperature",
            "window",
            "headlights",
            "seat",
            "wipers",
            "cruise",
            "tyre",
        ]:
            assert word in self.rules.vocabulary

    def test_words_are_written_as_they_are_spoken(self) -> None:
        assert all(
            word.replace("'", "").isalpha() and word == word.lower()
            for word in self.rules.vocabulary
        )

    @pytest.mark.parametrize("word", ["ambulance", "sunroof", "vivaldi", "treble", "zurich"])
    def test_finds_a_sentence_for_a_rare_word(self, word: str) -> None:
        sentence = self.rules.sentence_with(random.Random(1), word)
        assert word in sentence.split()
        assert len(sentence.split()) > 1

    @pytest.mark.parametrize(
        "said",
        [
            "open the rear left window",
            "set the temperature to twenty one degrees",
            "turn on the heating",
            "navigate home",
        ],
    )
    def test_knows_what_its_users_say_first(self, said: str) -> None:
        assert set(said.split()) <= set(self.rules.vocabulary)
