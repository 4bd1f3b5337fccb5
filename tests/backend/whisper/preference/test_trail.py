"""Where a text could have gone another way."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.whisper.decode import log_probabilities
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.preference.trail import Trail
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


def test_every_fork_until_the_text_leaves_the_sentences():
    trail = Trail(TokenGraph(ListedSentences("turn on", "turn off"), TOKENIZER), END)
    see(trail, token(" turn"), (token(" turn"), 0.5))
    see(trail, token(" on"), (token(" on"), 0.6), (token(" off"), 0.25))
    see(trail, token(" the"), (token(" the"), 0.8), (END, 0.1), (token("."), 0.01))
    see(trail, token(" heating"), (token(" heating"), 0.9))
    assert [fork.before for fork in trail.forks] == pytest.approx(
        [0, np.log(0.5), np.log(0.5 * 0.6)], abs=0.01
    )
    others = [fork.other for fork in trail.forks]
    assert others[1:] == pytest.approx([np.log(0.5 * 0.25), np.log(0.5 * 0.6 * 0.1)], abs=0.01)
    assert others[0] < -5, "another spelling of turn is possible, but unlikely"


def test_the_end_of_the_text_is_no_other_way_where_it_was_taken():
    trail = Trail(TokenGraph(ListedSentences("turn"), TOKENIZER), END)
    see(trail, token(" turn"), (token(" turn"), 0.5))
    see(trail, END, (END, 0.8), (token("."), 0.1))
    see(trail, END, (END, 0.8))
    assert len(trail.forks) == 2
    assert trail.forks[1].other == pytest.approx(np.log(0.5 * 0.1), abs=0.01)


def test_a_text_that_is_no_sentence_from_its_first_word():
    trail = Trail(TokenGraph(ListedSentences("turn on"), TOKENIZER), END)
    see(trail, token(" no"), (token(" no"), 0.5), (token(" turn"), 0.3))
    see(trail, token(" on"), (token(" on"), 0.5))
    (fork,) = trail.forks
    assert (fork.before, fork.other) == (0, pytest.approx(np.log(0.3), abs=0.01))
