"""Which tokens may follow, and that every spelling of a sentence leads to its end."""

from __future__ import annotations

import pytest

from rtap.whisper.preference import token_graph
from rtap.whisper.preference.token_graph import Place, TokenGraph, written
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import small_tokenizer

TOKENIZER = small_tokenizer()


def after(graph: TokenGraph, text: str) -> Place | None:
    """Where a text leads, token by token."""
    place: Place | None = graph.start
    for token in TOKENIZER.encode(text):
        place = None if place is None else graph.ways(place).after(token)
    return place


def is_sentence(graph: TokenGraph, text: str) -> bool:
    place = after(graph, text)
    return place is not None and graph.ways(place).may_end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" turn on the lights", True),
        (" Turn on the lights.", True),
        (" Turn on the lights!", True),
        (" is it on?", True),
        (" Turn On The Lights", True),
        (" turn ON the lights", True),
        (" turn on", False),
        (" turn on the lights off", False),
        (" turn on the lights..", False),
        ("turn on the lights", False),
        (".", False),
        ("", False),
    ],
)
def test_spellings(text: str, *, expected: bool):
    graph = TokenGraph(ListedSentences("turn on the lights", "is it on"), TOKENIZER)
    assert is_sentence(graph, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 21.5 percent", True),
        (" 21,5 percent", True),
        (" 21.5%", True),
        (" 21.5 %", True),
        (" 21.5 degrees celsius", True),
        (" 21.5°C", False),
        (" 21.5°c", True),
        (" 21%", False),
        (" Okay 5 +", True),
        (" ok 5+", True),
        (" OK 5+", True),
    ],
)
def test_numbers_and_short_forms(text: str, *, expected: bool):
    sentences = ListedSentences(
        "21.5 percent",
        "21.5 degrees celsius",
        "ok 5 +",
        short_forms={"%": "percent", "°c": "degrees celsius", "okay": "ok"},
    )
    assert is_sentence(TokenGraph(sentences, TOKENIZER), text) is expected


def test_words_that_begin_alike():
    """The tokens of " on" begin those of " once"; a decimal point may be a full stop."""
    graph = TokenGraph(ListedSentences("on", "once", "on and off", "5", "5.5"), TOKENIZER)
    for text in (" on.", " once.", " on and off.", " 5.", " 5.5.", " 5.5"):
        assert is_sentence(graph, text), text
    ways = graph.ways(graph.start)
    assert len(set(ways.tokens.tolist())) == len(ways.tokens) == len(ways.places)


def test_after_a_full_stop_nothing_follows():
    graph = TokenGraph(ListedSentences("on"), TOKENIZER)
    place = after(graph, " on.")
    assert place is not None
    assert graph.ways(place).tokens.size == 0


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("lights", [" lights", " Lights"]),
        ("ac", [" ac", " Ac", " AC"]),
        ("i", [" i", " I"]),
        ("i'm", [" i'm", " I'm"]),
        ("21", [" 21"]),
        ("21.5", [" 21.5", " 21,5"]),
        ("%", [" %", "%"]),
    ],
)
def test_written(word: str, expected: list[str]):
    assert list(written(word)) == expected


def test_trees_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(token_graph, "MOST_TREES", 2)
    graph = TokenGraph(ListedSentences("turn on the heating", "lights off"), TOKENIZER)
    for _ in range(2):
        assert is_sentence(graph, " turn on the heating.")
        assert is_sentence(graph, " Lights off.")


def test_words_that_may_come_next():
    graph = TokenGraph(ListedSentences("on", "once", "turn it off"), TOKENIZER)
    texts, ways = graph.words(graph.start)
    assert sorted(texts) == [" ON", " On", " Once", " Turn", " on", " once", " turn"]
    assert [TOKENIZER.decode(tokens) for tokens in ways] == list(texts)


def test_words_that_were_begun_or_are_over():
    """After " on" there may be "ce", or an end."""
    graph = TokenGraph(ListedSentences("on", "once"), TOKENIZER)
    place = after(graph, " on")
    assert place is not None
    assert sorted(graph.words(place)[0]) == ["!", ".", "?", "ce"]
