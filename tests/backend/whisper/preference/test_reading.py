"""Guesses that are read at once, with a model that follows a script."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.preference.guide import Guide
from rtap.whisper.preference.known_tokens import KnownTokens
from rtap.whisper.preference.reading import MOST_RUNS, Reading
from rtap.whisper.preference.search import Found, Path
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.token_rules import TokenRules
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.preference.test_search import (
    END,
    PROMPT,
    TOKENIZER,
    Least,
    chance,
    model,
)
from tests.backend.whisper.scripted_model import ScriptedModel


def reading(
    scripted: ScriptedModel, heard: str, sentences: ListedSentences, bounds: Least | None = None
) -> tuple[Reading, TokenGraph]:
    graph = TokenGraph(sentences, TOKENIZER)
    encoded = scripted.encode(np.zeros((2, 100), np.float32))
    vocabulary = scripted.dimensions.vocabulary
    rules = TokenRules(TOKENIZER, GenerationRules(), vocabulary, timestamps=False)
    guide = Guide(TOKENIZER, TOKENIZER.encode(heard))
    known = KnownTokens(scripted, encoded, PROMPT, rules)
    return Reading(graph, guide, known, END, bounds or Least()), graph


def best(
    scripted: ScriptedModel, heard: str, sentences: ListedSentences, ends: Sequence[Found] = ()
) -> tuple[str, float] | None:
    one, graph = reading(scripted, heard, sentences)
    found = one.best([Path((), 0.0, graph.start)], ends)
    return None if found is None else (TOKENIZER.decode(found.tokens), found.log_probability)


def test_a_whole_sentence_in_one_run():
    scripted = model(
        {
            "": {" turn": 0.6},
            " turn": {" off": 0.5, " on": 0.1},
            " turn off": {".": 0.8},
            " turn off.": {"": 0.9},
        }
    )
    found = best(scripted, " turn of.", ListedSentences("turn off", "turn on"))
    assert found == (" turn off.", chance(0.6 * 0.5 * 0.8 * 0.9))
    assert scripted.prompts == [[*PROMPT, *TOKENIZER.encode(" turn off.")]]


def test_where_another_way_is_likelier_it_is_read_next():
    scripted = model(
        {
            "": {" turn": 0.9},
            " turn": {" off": 0.001, " on": 0.9},
            " turn on": {"": 0.9},
            " turn off": {"": 0.9},
        }
    )
    found = best(scripted, " turn of", ListedSentences("turn off", "turn on"))
    assert found == (" turn on", chance(0.9**3))
    texts = [" turn off", " turn on"]
    assert scripted.prompts == [[*PROMPT, *TOKENIZER.encode(text)] for text in texts]


def test_a_sentence_that_is_known_is_found_without_a_run():
    scripted = model({})
    known = Found(tuple(TOKENIZER.encode(" yes")), -0.5)
    one, _ = reading(scripted, " yes and", ListedSentences("yes"))
    assert one.best([], [known]) == known
    assert scripted.prompts == []


def test_what_is_unlike_is_not_read():
    scripted = model({})
    one, graph = reading(scripted, " and no", ListedSentences("heating off", "yes"))
    (token,) = TOKENIZER.encode(" heating")
    place = graph.ways(graph.start).after(token)
    assert place is not None
    assert one.best([Path((token,), -0.5, place)], []) is None
    assert scripted.prompts == []
    assert not one.is_hopeful


def test_a_beginning_that_is_like_leaves_hope():
    one, graph = reading(model({}), " turn the and.", ListedSentences("turn the heating", "yes"))
    assert one.best([Path((), 0.0, graph.start)], []) is None
    assert one.is_hopeful


def test_so_many_runs_and_no_more():
    """Every one shows another way that is likelier, and leads to nothing."""
    words = ["on", "off", "no", "the", "and", "yes"]
    starts = {f" {word}": 0.15 for word in words}
    scripted = model({"": starts} | {f" {word}": {" lights": 0.9} for word in words})
    bounds = Least(refused=frozenset(f" {word}" for word in words))
    one, graph = reading(scripted, " on", ListedSentences(*words), bounds)
    places = graph.ways(graph.start)
    paths = [
        Path((token,), -2.0, place)
        for token, place in zip(places.tokens.tolist(), places.places, strict=True)
        if TOKENIZER.decode((token,)) in starts
    ]
    assert one.best(paths, []) is None
    assert len(scripted.prompts) <= MOST_RUNS


class Floorless(Least):
    """Only a whole sentence has to be likely."""

    def floor(self, length: int) -> float:
        return -99.0


@pytest.mark.parametrize(("log_probability", "expected"), [(-1.0, True), (-3.0, False)])
def test_a_word_leaves_hope_by_its_likelihood(log_probability: float, *, expected: bool):
    sentences = ListedSentences("heating off", "yes")
    one, graph = reading(model({}), " and", sentences, Floorless(least_of_all=-2.0))
    assert one.best([Path((), log_probability, graph.start)], []) is None
    assert one.is_hopeful is expected
