"""The likeliest sentence, with a model that follows a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.preference.search import BEAMS, LENGTH_BONUS, Found, Path, Search
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.token_rules import TokenRules
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import (
    Logits,
    ScriptedAudio,
    ScriptedModel,
    likely,
    produced,
    small_tokenizer,
)

TOKENIZER = small_tokenizer()
END = TOKENIZER.end_of_text
PROMPT = [*TOKENIZER.sot_sequence("en"), TOKENIZER.no_timestamps]


def chance(probability: float) -> Any:
    """The log of a probability, nearly."""
    return pytest.approx(float(np.log(probability)), abs=0.01)


def model(chances: Mapping[str, Mapping[str, float]]) -> ScriptedModel:
    """A model that gives tokens these probabilities after these texts; the empty token ends it."""

    def script(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        following = chances.get(TOKENIZER.decode(produced(history)), {"": 0.9})
        favourites = [
            (TOKENIZER.encode(text)[0] if text else END, chance)
            for text, chance in following.items()
        ]
        return likely(*favourites)

    return ScriptedModel(script)


@dataclass
class Least:
    """Implements :class:`rtap.whisper.preference.search.Bounds`: a least log-probability."""

    least_of_all: float = -20.0
    longest: int = 20
    refused: frozenset[str] = frozenset()
    seen: list[str] = field(default_factory=list)

    def floor(self, length: int) -> float:
        assert length >= 1
        return self.least_of_all

    def least(self, length: int) -> float:
        assert length >= 1
        return self.least_of_all

    def accepts(self, found: Found) -> bool:
        text = TOKENIZER.decode(found.tokens)
        self.seen.append(text)
        return found.log_probability >= self.least_of_all and text not in self.refused


def best(
    scripted: ScriptedModel,
    sentences: ListedSentences,
    bounds: Least | None = None,
    start: str = "",
    rules: GenerationRules | None = None,
) -> tuple[str, float] | None:
    graph = TokenGraph(sentences, TOKENIZER)
    place, tokens = graph.start, TOKENIZER.encode(start)
    for token in tokens:
        following = graph.ways(place).after(token)
        assert following is not None
        place = following
    encoded = scripted.encode(np.zeros((2, 100), np.float32))
    search = Search(
        graph,
        TokenRules(
            TOKENIZER,
            rules or GenerationRules(),
            scripted.dimensions.vocabulary,
            timestamps=False,
        ),
        END,
    )
    found = search.best(
        scripted.decode(encoded, BEAMS), PROMPT, Path(tuple(tokens), 0.0, place), bounds or Least()
    )
    return None if found is None else (TOKENIZER.decode(found.tokens), found.log_probability)


def test_the_likeliest_sentence_and_nothing_else():
    """Greedily the text would be "turn on no"; of the sentences the likelier begins unlikelier."""
    scripted = model(
        {
            "": {" turn": 0.6, " lights": 0.3},
            " turn": {" on": 0.9},
            " turn on": {" no": 0.9, " lights": 0.01},
            " turn on lights": {"": 0.9},
            " lights": {" on": 0.5},
            " lights on": {"": 0.8},
        }
    )
    found = best(scripted, ListedSentences("turn on lights", "lights on"))
    assert found == (" lights on", chance(0.3 * 0.5 * 0.8))
    assert scripted.beams == [BEAMS]


def test_a_longer_sentence_may_be_a_little_less_likely():
    chances = {
        "": {" turn": 0.9},
        " turn": {" on": 0.5, "": 0.4},
        " turn on": {" the": 0.5, "": 0.4},
        " turn on the": {" lights": 0.9},
        " turn on the lights": {"": 0.9},
    }
    assert np.log(0.4) < np.log(0.5 * 0.5 * 0.9 * 0.9) + 3 * LENGTH_BONUS
    found = best(model(chances), ListedSentences("turn", "turn on", "turn on the lights"))
    assert found is not None
    assert found[0] == " turn on the lights"


def test_it_goes_on_from_where_it_is_told():
    scripted = model(
        {
            " turn on": {" heating": 0.2},
            " turn on heating": {".": 0.7},
            " turn on heating.": {"": 0.9},
        }
    )
    found = best(scripted, ListedSentences("turn on heating", "yes"), start=" turn on")
    assert found == (" turn on heating.", chance(0.2 * 0.7 * 0.9))
    assert scripted.prompts == [[*PROMPT, *TOKENIZER.encode(" turn on")]]


def test_what_is_not_accepted_is_not_found():
    scripted = model({"": {" yes": 0.5, " no": 0.3}, " yes": {"": 0.9}, " no": {"": 0.9}})
    sentences = ListedSentences("yes", "no")
    assert best(scripted, sentences, Least(refused=frozenset({" yes"}))) == (
        " no",
        chance(0.3 * 0.9),
    )
    assert best(scripted, sentences, Least(least_of_all=-0.1)) is None


def test_it_ends_as_soon_as_nothing_is_likely_enough():
    scripted = model({"": {" no": 0.99}})
    decodings = scripted.decodings
    assert best(scripted, ListedSentences("turn on the lights"), Least(least_of_all=-3)) is None
    assert scripted.decodings == decodings + 1
    assert scripted.prompts == [PROMPT]


def test_no_sentence_is_longer_than_the_bound():
    scripted = model({"": {" no": 0.9}, " no": {" no": 0.9}, " no no": {" no": 0.9, "": 0.05}})
    bounds = Least(longest=3)
    assert best(scripted, ListedSentences("no no no no no"), bounds) is None
    assert best(scripted, ListedSentences("no no"), bounds) is not None


def test_suppressed_tokens_are_in_no_sentence():
    scripted = model({"": {" yes": 0.5, " no": 0.3}, " yes": {"": 0.9}, " no": {"": 0.9}})
    rules = GenerationRules(suppress=(TOKENIZER.encode(" yes")[0],))
    found = best(scripted, ListedSentences("yes", "no"), rules=rules)
    assert found is not None
    assert found[0] == " no"
