"""When a sentence takes the place of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rtap.whisper.decode import Decoded
from rtap.whisper.preference.choice import LONGEST_SECONDS, LONGEST_TEXT, Expected, Margin
from rtap.whisper.preference.search import BEAMS, Found
from rtap.whisper.window_decoder import DecodingOptions, Outcome, WindowDecoder
from tests.backend.whisper.preference.listed_sentences import ListedSentences
from tests.backend.whisper.scripted_model import (
    Logits,
    ScriptedAudio,
    ScriptedModel,
    likely,
    produced,
    says,
    small_tokenizer,
)

TOKENIZER = small_tokenizer()
END = TOKENIZER.end_of_text
SOT = TOKENIZER.sot_sequence("en")


def garbled(*, heard: float = 0.6, meant: float = 0.39, no_speech: float = 0.01) -> ScriptedModel:
    """It hears "turn on the no.", where "lights" is the second likeliest in place of "no"."""
    said = TOKENIZER.encode(" turn on the no.")
    alike = TOKENIZER.encode(" turn on the lights.")

    def script(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        if history[-1] == TOKENIZER.start_of_transcript:
            return likely((TOKENIZER.no_speech, no_speech))
        so_far = list(produced(history))
        for answer in (said, alike):
            if so_far == answer[:3]:
                return likely((said[3], heard), (alike[3], meant))
            if len(so_far) < 5 and so_far == answer[: len(so_far)]:
                return likely((answer[len(so_far)], 0.99))
        return likely((END, 0.99))

    return ScriptedModel(script)


def decode(
    model: ScriptedModel,
    sentences: ListedSentences | None,
    *,
    beams: int = 1,
    seconds: float = 2.0,
    timestamps: bool = False,
    temperatures: Sequence[float] = (0.0,),
) -> Outcome:
    options = DecodingOptions(beams=beams, temperatures=tuple(temperatures), timestamps=timestamps)
    decoder = WindowDecoder(model, options)
    audio = np.ones(round(seconds * 16_000), np.float32)
    encoded, frames = decoder.encode(audio)
    expected = None if sentences is None else Expected(sentences, model)
    return decoder.decode(audio, encoded, frames, SOT, (), expected)


@pytest.mark.parametrize("beams", [1, 2, 5])
def test_a_sentence_that_is_nearly_as_likely(beams: int):
    model = garbled()
    outcome = decode(model, ListedSentences("turn on the lights"), beams=beams)
    assert outcome.text == "turn on the lights."
    assert len(model.encoded) == 1, "nothing is encoded again"
    decoded = outcome.decoded
    assert (decoded.ended, decoded.temperature) == (True, 0)
    chance = 0.99**5 * 0.39
    assert decoded.average_log_probability == pytest.approx(np.log(chance) / 6, abs=0.01)
    assert decode(garbled(), None, beams=beams).text == "turn on the no."


def test_the_sentence_is_read_in_one_run_where_it_leaves_the_text():
    model = garbled()
    decode(model, ListedSentences("turn on the lights"))
    prompt = [*SOT, TOKENIZER.no_timestamps]
    found = [*prompt, *TOKENIZER.encode(" turn on the lights.")]
    assert model.prompts[:2] == [prompt, found]
    assert BEAMS not in model.beams


def test_a_sentence_that_is_much_less_likely():
    assert (
        decode(garbled(meant=1e-4), ListedSentences("turn on the lights")).text == "turn on the no."
    )


def test_a_text_that_is_a_sentence_costs_nothing():
    model = garbled(meant=0.01)
    sentences = ListedSentences("turn on the no", "turn on the lights")
    assert decode(model, sentences).text == "turn on the no."
    assert sentences.asked == []
    assert model.beams == [1]


def test_what_is_far_from_every_sentence_costs_nothing():
    model = garbled()
    assert decode(model, ListedSentences("heating off", "yes")).text == "turn on the no."
    assert model.beams == [1]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"seconds": LONGEST_SECONDS + 0.1}, id="long speech"),
        pytest.param({"timestamps": True}, id="timestamps"),
    ],
)
def test_where_no_sentence_is_expected(how: dict[str, float]):
    model = garbled()
    sentences = ListedSentences("turn on the lights")
    outcome = decode(model, sentences, **how)  # type: ignore[arg-type]
    assert "lights" not in outcome.text
    assert sentences.asked == []


def test_a_long_text_is_no_command():
    words = TOKENIZER.encode(" turn on the lights, no, yes and" * 4)
    sentences = ListedSentences("turn on the lights")
    outcome = decode(ScriptedModel(says(words)), sentences, seconds=LONGEST_SECONDS)
    assert len(outcome.text) > LONGEST_TEXT
    assert sentences.asked == []


def test_where_nobody_may_speak_there_is_no_command():
    sentences = ListedSentences("turn on the lights")
    assert decode(garbled(no_speech=0.7), sentences).text == "turn on the no."
    assert sentences.asked == []


def test_what_was_heard_for_certain_stays():
    sentences = ListedSentences("turn on the lights")
    assert decode(garbled(heard=0.98, meant=0.01), sentences).text == "turn on the no."
    assert sentences.asked == []


def test_nothing_heard_is_no_command():
    sentences = ListedSentences("yes")
    assert decode(ScriptedModel(says([])), sentences).text == ""
    assert sentences.asked == []


def test_in_place_of_a_guess():
    """No temperature made the text plausible; the sentence is."""
    model = garbled(heard=0.0014, meant=0.0013)
    outcome = decode(model, ListedSentences("turn on the lights"), temperatures=(0.0, 1e-6))
    assert outcome.text == "turn on the lights."


def test_of_several_sequences_all_sentences_are_searched():
    """Nothing sees which ways a beam search leaves out."""
    model = garbled()
    decode(model, ListedSentences("turn on the lights"), beams=3)
    prompt = [*SOT, TOKENIZER.no_timestamps]
    assert model.prompts[:2] == [prompt, prompt]
    assert model.beams[:2] == [3, BEAMS]


def test_what_is_unlike_a_word_is_not_searched():
    """A beginning is likely enough, but no sentence with it sounds like the word that was heard."""
    said = TOKENIZER.encode(" no.")
    first = likely((said[0], 0.5), (TOKENIZER.encode(" lights")[0], 0.1))
    steps = [first, likely((said[1], 0.99)), likely((END, 0.99))]
    model = ScriptedModel(lambda _, history: steps[min(2, len(produced(history)))])
    assert decode(model, ListedSentences("lights off")).text == "no."
    assert model.beams == [1]


def test_the_same_words_in_other_letters_make_no_search():
    said = TOKENIZER.encode(" yes no.")
    model = ScriptedModel(says(said, probability=0.6))
    sentences = ListedSentences("yes on")
    assert decode(model, sentences).text == "yes no."
    assert model.beams == [1]


def margin(length: int, average: float = -0.3) -> Margin:
    heard = Decoded((1,) * (length - 1), average, ended=True, temperature=0.0)
    return Margin.to(heard)


@pytest.mark.parametrize(
    ("heard", "found", "average", "expected"),
    [
        pytest.param(6, 6, -0.85, True, id="of six tokens each may be unlikelier"),
        pytest.param(6, 6, -0.9, False, id="but not by so much"),
        pytest.param(3, 3, -0.29, True, id="a word that is nearly as likely"),
        pytest.param(3, 3, -0.31, False, id="a word"),
        pytest.param(9, 6, -0.5, True, id="without a noise before it"),
        pytest.param(10, 6, -0.1, False, id="without half of what was said"),
        pytest.param(6, 6, -1.7, False, id="a guess"),
    ],
)
def test_margin(heard: int, found: int, average: float, *, expected: bool):
    sentence = Found((1,) * (found - 1), average * found)
    assert margin(heard).accepts(sentence) is expected


def test_a_guess_is_none_even_in_place_of_a_worse_one():
    assert not margin(3, average=-3).accepts(Found((1, 1), -1.7 * 3))
    assert margin(3, average=-3).accepts(Found((1, 1), -1.6 * 3))


def test_below_the_floor_nothing_is_accepted():
    for length in range(2, 30):
        one = margin(length)
        for found in range(1, one.longest + 1):
            floor = one.floor(found)
            assert floor >= one.floor(found + 1)
            assert not one.accepts(Found((1,) * (found - 1), floor - 0.01))
