"""How a sentence may go on, by a text."""

from __future__ import annotations

import pytest

from rtap.whisper.preference.guide import Guess, Guide
from rtap.whisper.preference.search import Path
from rtap.whisper.preference.token_graph import TokenGraph
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import small_tokenizer

TOKENIZER = small_tokenizer()


def guess(heard: str, said: str, *sentences: str, most: int = 99) -> Guess:
    graph = TokenGraph(ListedSentences(*sentences), TOKENIZER)
    place, tokens = graph.start, TOKENIZER.encode(said)
    for token in tokens:
        following = graph.ways(place).after(token)
        assert following is not None
        place = following
    return Guide(TOKENIZER, TOKENIZER.encode(heard)).guess(
        graph, Path(tuple(tokens), 0.0, place), most
    )


@pytest.mark.parametrize(
    ("heard", "said", "sentences", "expected"),
    [
        pytest.param(
            " Turn on the heaving.",
            " Turn on",
            ["turn on the heating"],
            " the heating.",
            id="alike",
        ),
        pytest.param(
            " turn the heating",
            "",
            ["turn off", "turn the heating"],
            " turn the heating",
            id="start",
        ),
        pytest.param(
            " Shh, turn it off?", "", ["turn it off", "off"], " turn it off?", id="a noise before"
        ),
        pytest.param(" Council.", " Can", ["can you", "cancel"], "cel.", id="a word that is two"),
        pytest.param(" On.", "", ["on", "off"], " On.", id="its capitals"),
        pytest.param(" and", "", ["heating off"], "", id="unlike"),
    ],
)
def test_the_likest_sentence(heard: str, said: str, sentences: list[str], expected: str):
    found = guess(heard, said, *sentences)
    assert TOKENIZER.decode(found.tokens) == expected
    assert found.is_whole == bool(expected)


def test_a_single_way_is_guessed_unlike_as_it_may_be():
    found = guess(" turn it up", " off", "off 21")
    assert TOKENIZER.decode(found.tokens) == " 21"


def test_likeness():
    found = guess(" Turn on the heaving.", " Turn on", "turn on the heating")
    assert found.words == " turn on the heating"
    assert found.changes == 1
    assert found.likeness == pytest.approx(19 / 20)


def test_no_more_tokens_than_asked_for():
    assert guess(" turn on the heating", " turn", "turn on the heating", most=2) == Guess(
        tuple(TOKENIZER.encode(" on the")), is_whole=False, words=" turn on the", changes=0
    )
