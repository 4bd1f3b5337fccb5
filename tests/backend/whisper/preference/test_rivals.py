"""Whether another sentence may have been said instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rtap.whisper.preference.choice import Expected
from rtap.whisper.preference.rivals import EVEN, MOST_PASSES
from rtap.whisper.window_decoder import DecodingOptions, Outcome, WindowDecoder
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
COMMA = TOKENIZER.encode(",")[0]
SOT = TOKENIZER.sot_sequence("en")


def hears(answers: Mapping[str, float]) -> ScriptedModel:
    """A model for which these texts are so likely, their commas left out or not."""
    told = {(*TOKENIZER.encode(f" {text}"), END): chance for text, chance in answers.items()}
    for tokens, chance in [*told.items()]:
        told.setdefault(tuple(token for token in tokens if token != COMMA), chance)

    def script(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        if history[-1] == TOKENIZER.start_of_transcript:
            return likely((TOKENIZER.no_speech, 0.01))
        so_far = produced(history)
        following: dict[int, float] = {}
        for tokens, chance in told.items():
            if tokens[: len(so_far)] == so_far and len(tokens) > len(so_far):
                token = tokens[len(so_far)]
                following[token] = following.get(token, 0.0) + chance
        whole = sum(following.values())
        return likely(*((token, 0.999 * chance / whole) for token, chance in following.items()))

    return ScriptedModel(script)


def decode(model: ScriptedModel, sentences: ListedSentences, beams: int = 1) -> Outcome:
    options = DecodingOptions(beams=beams, temperatures=(0.0,), timestamps=False)
    decoder = WindowDecoder(model, options)
    audio = np.ones(32_000, np.float32)
    encoded, frames = decoder.encode(audio)
    return decoder.decode(audio, encoded, frames, SOT, (), Expected(sentences, model))


def certainty(times: float) -> Any:
    """That of a text which is so many times as likely as its rival."""
    return pytest.approx(1 / (1 + math.exp(EVEN - math.log(times))), abs=0.005)


ON_OR_OFF = ListedSentences("turn on the lights", "turn off the lights")


@pytest.mark.parametrize("beams", [1, 2])
def test_the_opposite_is_nearly_as_likely(beams: int):
    model = hears({"turn on the lights.": 0.6, "turn off the lights.": 0.4})
    outcome = decode(model, ON_OR_OFF, beams)
    assert (outcome.text, outcome.certainty) == ("turn on the lights.", certainty(1.5))
    assert outcome.certainty < 0.5
    prompt = [*SOT, TOKENIZER.no_timestamps]
    rival = [*prompt, *TOKENIZER.encode(" turn off the lights.")]
    assert model.prompts[-1] == rival
    seen = [[*prompt, *TOKENIZER.encode(" turn on the lights.")]] if beams > 1 else []
    assert model.prompts == [prompt, *seen, rival], "one pass for each that nothing had seen"


def test_the_nearest_of_several_counts():
    model = hears({"no.": 0.5, "yes.": 0.3, "lights.": 0.2})
    assert decode(model, ListedSentences("no", "lights", "yes")).certainty == certainty(5 / 3)


@pytest.mark.parametrize(
    ("chosen", "rival"),
    [
        pytest.param("heating.", "heating off.", id="longer"),
        pytest.param("heating on.", "heating.", id="shorter"),
        pytest.param("turn the lights off", "turn the lights", id="without a full stop"),
        pytest.param(
            "turn on the heating.", "turn on the fan.", id="with a word of several tokens"
        ),
        pytest.param("no, lights.", "yes, lights.", id="with punctuation that no sentence has"),
    ],
)
def test_how_a_rival_can_differ(chosen: str, rival: str):
    sentences = ListedSentences(*(text.replace(",", "").strip(".") for text in (chosen, rival)))
    outcome = decode(hears({chosen: 0.75, rival: 0.25}), sentences)
    assert (outcome.text, outcome.certainty) == (chosen, certainty(3))


def test_of_a_sentence_that_took_the_place_of_the_text():
    model = hears(
        {"turn on the no.": 0.4, "turn on the lights.": 0.35, "turn off the lights.": 0.25}
    )
    outcome = decode(model, ON_OR_OFF)
    assert (outcome.text, outcome.certainty) == ("turn on the lights.", certainty(0.35 / 0.25))


def test_what_is_far_costs_nothing():
    model = hears({"turn on the lights.": 0.98, "turn off the lights.": 0.02})
    assert decode(model, ON_OR_OFF).certainty == 1
    assert len(model.prompts) == 1


def test_what_asks_for_the_same_is_no_rival():
    model = hears({"turn on the lights.": 0.6, "turn on lights.": 0.4})
    sentences = ListedSentences(
        "turn on the lights", "turn on lights", meanings={"turn on lights": "turn on the lights"}
    )
    assert decode(model, sentences).certainty == 1
    assert len(model.prompts) == 1, "which the grammar says without the decoder"


def test_a_rival_in_two_spellings_costs_one_pass():
    model = hears({"lights.": 0.6, "fan.": 0.2, "fans.": 0.2})
    sentences = ListedSentences("lights", "fan", "fans", meanings={"fans": "fan"})
    assert decode(model, sentences).certainty == certainty(3)
    assert len(model.prompts) == 2


def test_other_endings_of_the_same_sentence_are_no_rivals():
    model = hears({"lights.": 0.4, "lights": 0.3, "lights!": 0.3})
    assert decode(model, ListedSentences("lights", "no")).certainty == 1
    assert len(model.prompts) == 1


def test_a_text_that_is_no_sentence():
    model = hears({"turn on the no.": 0.6, "turn off the no.": 0.4})
    assert decode(model, ListedSentences("turn on", "turn off")).certainty == 1
    assert len(model.prompts) == 1


def test_what_cannot_be_made_out_has_no_rival():
    """Such as a name that two people have: it is asked for anyway."""

    class Ambiguous(ListedSentences):
        def meaning(self, text: str) -> None:
            return None

    model = hears({"turn on the lights.": 0.6, "turn off the lights.": 0.4})
    assert decode(model, Ambiguous("turn on the lights", "turn off the lights")).certainty == 1


def test_rivals_cost_a_bounded_number_of_passes():
    words = [f"{letter}abcdefgh" for letter in "klmnop"]
    model = hears({"no.": 0.4, **{f"{word}.": 0.1 for word in words}})
    assert decode(model, ListedSentences("no", *words)).certainty == certainty(4)
    assert len(model.prompts) == 1 + MOST_PASSES
