"""Where a text could have gone another way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rtap.whisper.decode import log_probabilities
from rtap.whisper.preference.search import Found
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.preference.trail import Fork, Trail
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import likely, small_tokenizer

TOKENIZER = small_tokenizer()
END = TOKENIZER.end_of_text


def token(text: str) -> int:
    (one,) = TOKENIZER.encode(text)
    return one


def see(trail: Trail, chosen: int, *favourites: tuple[int, float]) -> None:
    scores = likely(*favourites)
    mass = float(scores[0] - log_probabilities(scores[np.newaxis])[0, 0])
    trail.see(scores, mass, chosen)


def graph(*sentences: str) -> TokenGraph:
    return TokenGraph(ListedSentences(*sentences), TOKENIZER)


def other(known: TokenGraph, fork: Fork, text: str) -> float:
    """What another way is worth; the empty text ends there."""
    ways = known.ways(fork.place)
    index = ways.tokens.tolist().index(token(text)) if text else -1
    return float(fork.others[index])


def chance(*probabilities: float) -> Any:
    return pytest.approx(float(np.log(np.prod(probabilities))), abs=0.01)


def test_every_fork_until_the_text_leaves_the_sentences():
    known = graph("turn on", "turn off")
    trail = Trail(known, END)
    see(trail, token(" turn"), (token(" turn"), 0.5))
    see(trail, token(" on"), (token(" on"), 0.6), (token(" off"), 0.25))
    see(trail, token(" the"), (token(" the"), 0.8), (END, 0.1), (token("."), 0.05))
    see(trail, token(" heating"), (token(" heating"), 0.9))
    first, second, third = trail.forks
    assert [first.before, second.before] == [0, chance(0.5)]
    assert third.before == chance(0.5, 0.6)
    assert other(known, second, " off") == chance(0.5, 0.25)
    assert other(known, third, ".") == chance(0.5, 0.6, 0.05)
    assert other(known, third, "") == chance(0.5, 0.6, 0.1)
    assert np.isneginf(other(known, first, " turn")), "it is what was chosen"
    assert np.isneginf(other(known, second, "")), "no sentence ends there"


def test_the_end_of_the_text_is_no_other_way_where_it_was_taken():
    known = graph("turn")
    trail = Trail(known, END)
    see(trail, token(" turn"), (token(" turn"), 0.5))
    see(trail, END, (END, 0.8), (token("."), 0.1))
    see(trail, END, (END, 0.8))
    assert len(trail.forks) == 2
    assert other(known, trail.forks[1], ".") == chance(0.5, 0.1)
    assert np.isneginf(other(known, trail.forks[1], ""))


def test_a_text_that_is_no_sentence_from_its_first_word():
    trail = Trail(graph("turn on"), END)
    see(trail, token(" no"), (token(" no"), 0.5), (token(" turn"), 0.3))
    see(trail, token(" on"), (token(" on"), 0.5))
    assert len(trail.forks) == 1


@dataclass(frozen=True)
class Floors:
    """Implements :class:`rtap.whisper.preference.search.Bounds`."""

    first: float
    later: float
    longest: int = 10

    def floor(self, length: int) -> float:
        return self.first if length == 1 else self.later

    def least(self, length: int) -> float:
        raise AssertionError(length)

    def accepts(self, found: Found) -> bool:
        raise AssertionError(found)


@pytest.mark.parametrize(
    ("floors", "texts", "common"),
    [
        pytest.param(Floors(-1, -1), [], None, id="no sentence is likely enough"),
        pytest.param(Floors(-1, -2.3), [" turn off"], " turn off", id="a single one"),
        pytest.param(
            Floors(-1, -3.9), [" turn off", " turn heating"], " turn", id="two in one place"
        ),
        pytest.param(Floors(-2.5, -2.3), [" lights", " turn off"], "", id="in two places"),
        pytest.param(Floors(-2.5, -1), [" lights"], " lights", id="the first"),
    ],
)
def test_where_sentences_leave_a_text(floors: Floors, texts: Sequence[str], common: str | None):
    trail = Trail(graph("turn on", "turn off", "turn heating", "lights"), END)
    see(trail, token(" turn"), (token(" turn"), 0.5), (token(" lights"), 0.1))
    see(trail, token(" on"), (token(" on"), 0.6), (token(" off"), 0.25), (token(" heating"), 0.05))
    text = TOKENIZER.encode(" turn on")
    starts, ends = trail.branches(text, floors)
    assert sorted(TOKENIZER.decode(path.tokens) for path in starts) == sorted(texts)
    assert ends == []
    chances = {
        " lights": chance(0.1),
        " turn off": chance(0.5, 0.25),
        " turn heating": chance(0.5, 0.05),
        " turn": chance(0.5),
        "": 0,
    }
    for path in starts:
        assert path.log_probability == chances[TOKENIZER.decode(path.tokens)]
    if common is not None:
        start = trail.start(text, starts)
        assert start.tokens == tuple(TOKENIZER.encode(common))
        assert start.log_probability == chances[common]


def test_a_sentence_that_ends_within_the_text():
    trail = Trail(graph("turn on"), END)
    see(trail, token(" turn"), (token(" turn"), 0.5))
    see(trail, token(" on"), (token(" on"), 0.6))
    see(trail, token(" the"), (token(" the"), 0.8), (END, 0.1))
    starts, ends = trail.branches(TOKENIZER.encode(" turn on the"), Floors(-1, -4))
    assert starts == []
    (found,) = ends
    assert found.tokens == tuple(TOKENIZER.encode(" turn on"))
    assert found.log_probability == chance(0.5, 0.6, 0.1)


@pytest.mark.parametrize(
    ("said", "expected"), [(" turn on", True), (" turn", False), (" turn on off", False)]
)
def test_whether_the_text_is_a_sentence(said: str, *, expected: bool):
    trail = Trail(graph("turn on"), END)
    for one in (*TOKENIZER.encode(said), END):
        assert not trail.is_sentence
        see(trail, one, (one, 0.9))
    assert trail.is_sentence is expected
