"""How likely known tokens are."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.whisper.preference.known_tokens import KnownTokens
from rtap.whisper.preference.token_graph import TokenGraph
from rtap.whisper.preference.trail import Trail
from rtap.whisper.token_rules import TokenRules
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import ScriptedModel, says, small_tokenizer

TOKENIZER = small_tokenizer()
SOT = [*TOKENIZER.sot_sequence("en"), TOKENIZER.no_timestamps]
SAID = TOKENIZER.encode(" turn on the lights.")


@pytest.fixture
def known() -> KnownTokens:
    model = ScriptedModel(says(SAID, probability=0.8))
    encoded = model.encode(np.zeros((2, 100), np.float32))
    rules = TokenRules(TOKENIZER, model.rules, model.dimensions.vocabulary, timestamps=False)
    return KnownTokens(model, encoded, SOT, rules)


def test_of_a_rest_and_the_end(known: KnownTokens):
    assert known.log_probability(SAID[:3], SAID[3:]) == pytest.approx(3 * np.log(0.8), abs=0.01)
    assert known.log_probability(SAID, ()) == pytest.approx(np.log(0.8), abs=0.01)
    assert known.passes == 2


def test_what_follows_after_each_token(known: KnownTokens):
    scores = known.following(SAID, 3)
    assert scores.argmax(axis=-1).tolist() == [*SAID[3:], TOKENIZER.end_of_text]
    np.testing.assert_allclose(np.exp(scores).sum(axis=-1), 1, rtol=1e-4)


def test_an_observer_sees_what_it_would_have_seen(known: KnownTokens):
    trail = Trail(
        TokenGraph(ListedSentences("turn on the lights"), TOKENIZER), TOKENIZER.end_of_text
    )
    total = known.show(SAID, trail)
    assert total == pytest.approx(6 * np.log(0.8), abs=0.01)
    befores = [fork.before for fork in trail.forks]
    assert befores == pytest.approx([index * np.log(0.8) for index in range(6)], abs=0.01)
