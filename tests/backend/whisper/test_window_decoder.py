"""One window: how much is encoded, what is decoded again, and which answer is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.whisper.model import EncodedAudio
from rtap.whisper.model_directory import Elastic
from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.window_decoder import (
    DecodingOptions,
    Outcome,
    WindowDecoder,
    compression_ratio,
    context_frames,
    repeats_itself,
    sounding_seconds,
)
from tests.backend.whisper.scripted_model import (
    Logits,
    Script,
    ScriptedAudio,
    ScriptedModel,
    likely,
    produced,
    says,
    small_tokenizer,
)

TOKENIZER = small_tokenizer()
SOT = TOKENIZER.sot_sequence("en")
END = TOKENIZER.end_of_text
FULL = 3000
SENTENCE = TOKENIZER.encode(" turn on the heating")
LOOP = TOKENIZER.encode(" no") * 200
GREEDY = (0.0,)


def audio(seconds: float) -> NDArray[np.float32]:
    return np.ones(round(seconds * 16_000), np.float32)


def decode(
    model: ScriptedModel,
    sound: float | NDArray[np.float32] = 3.0,
    *,
    temperatures: tuple[float, ...] = GREEDY,
    previous: Sequence[int] = (),
    sot: Sequence[int] = SOT,
    timestamps: bool = False,
    **options: Any,
) -> Outcome:
    settings = DecodingOptions(
        beams=options.pop("beams", 1), temperatures=temperatures, timestamps=timestamps, **options
    )
    decoder = WindowDecoder(model, settings)
    sound = audio(sound) if isinstance(sound, float) else sound
    encoded, frames = decoder.encode(sound)
    return decoder.decode(sound, encoded, frames, sot, previous)


FRAMES: list[tuple[Elastic, float, int]] = [
    ("native", 0.001, 100),
    ("native", 1.0, 100),
    ("native", 1.001, 200),
    ("native", 9.5, 1000),
    ("native", 10.0, 1000),
    ("native", 10.001, 1100),
    ("native", 15.0, 1500),
    ("native", 25.001, 2600),
    ("native", 30.0, 3000),
    # At least 10 s, and 2.5 s of silence after the audio.
    ("guarded", 0.001, 1000),
    ("guarded", 7.5, 1000),
    ("guarded", 7.501, 1100),
    ("guarded", 12.5, 1500),
    ("guarded", 22.501, 2600),
    ("guarded", 30.0, 3000),
    ("no", 0.001, 3000),
    ("no", 30.0, 3000),
]


class TestContext:
    @pytest.mark.parametrize(("elastic", "seconds", "frames"), FRAMES)
    def test_table(self, elastic: Elastic, seconds: float, frames: int) -> None:
        assert context_frames(round(seconds * 16_000), elastic, FULL) == frames

    @pytest.mark.parametrize("elastic", ["native", "guarded", "no"])
    def test_models_of_less_than_30_seconds(self, elastic: Elastic) -> None:
        assert context_frames(16_000 * 12 + 1, elastic, 1250) == 1250

    def test_few_shapes(self) -> None:
        every = {context_frames(samples, "guarded", FULL) for samples in range(1, 480_001, 997)}
        assert every == set(range(1000, 3001, 100))

    @pytest.mark.parametrize(
        ("elastic", "frames"), [("native", 400), ("guarded", 1000), ("no", 3000)]
    )
    def test_the_margin_is_a_native_models(self, elastic: Elastic, frames: int) -> None:
        # A guarded model has a context of its own, whatever is asked for.
        assert context_frames(40_000, elastic, FULL, margin_seconds=0.75) == frames
        assert context_frames(40_000, "native", FULL, margin_seconds=0.5) == 300

    @pytest.mark.parametrize(("seconds", "frames"), [(0.001, 300), (2.5, 300), (2.501, 400)])
    def test_adapted_weights_get_three_seconds(self, seconds: float, frames: int) -> None:
        samples = round(seconds * 16_000)
        assert context_frames(samples, "native", FULL, margin_seconds=0.5) == frames

    def test_the_margin_is_the_manifests(self) -> None:
        model = ScriptedModel(says(SENTENCE), margin_seconds=0.75)
        assert decode(model, 2.5).frames == 400

    def test_is_what_the_encoder_gets(self) -> None:
        model = ScriptedModel(says(SENTENCE))
        outcome = decode(model, 2.5)
        assert model.frames == [300]
        assert outcome.frames == 300
        assert outcome.encoded is model.encoded[0]
        assert model.encoded[0].samples == 40_000


def short_then_full(short: Script, full: Script) -> Script:
    return lambda heard, history: (full if heard.frames == FULL else short)(heard, history)


def endless(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
    """Ever new bytes, so no loop, and no end."""
    return likely((33 + 7 * len(history) ** 2 % 90, 0.9))


WRONG = {
    "loops": says(LOOP),
    "does not end": endless,
    "is unlikely": says(SENTENCE, probability=0.3),
    # Without a period that counts as a loop, but no speech either.
    "compresses too well": says(TOKENIZER.encode(" no" * 9 + "," + " no" * 9 + "." + " no" * 9)),
}


class TestShortContext:
    @pytest.mark.parametrize("name", WRONG)
    def test_a_wrong_answer_is_decoded_again_at_full_length(self, name: str) -> None:
        model = ScriptedModel(short_then_full(WRONG[name], says(SENTENCE)), elastic="guarded")
        outcome = decode(model)
        assert model.frames == [1000, FULL]
        assert outcome.text == "turn on the heating"
        assert (outcome.frames, outcome.encoded) == (FULL, model.encoded[1])

    @pytest.mark.parametrize("name", WRONG)
    def test_once_only(self, name: str) -> None:
        model = ScriptedModel(WRONG[name], elastic="guarded")
        outcome = decode(model, temperatures=(0.0, 0.5, 1.0))
        assert model.frames == [1000, FULL]
        assert (outcome.frames, outcome.encoded) == (FULL, model.encoded[1])

    def test_a_good_answer_is_kept(self) -> None:
        model = ScriptedModel(short_then_full(says(SENTENCE), says([])), elastic="guarded")
        outcome = decode(model)
        assert outcome.text == "turn on the heating"
        assert model.frames == [1000]

    @pytest.mark.parametrize("name", WRONG)
    @pytest.mark.parametrize("elastic", ["native", "no"])
    def test_not_for_models_that_are_trusted_or_always_padded(
        self, elastic: Elastic, name: str
    ) -> None:
        model = ScriptedModel(WRONG[name], elastic=elastic)
        decode(model)
        assert len(model.frames) == 1

    def test_not_where_the_context_was_full(self) -> None:
        model = ScriptedModel(says(LOOP), elastic="guarded")
        decode(model, 29.5)
        assert model.frames == [FULL]

    def test_silence_is_doubted_too(self) -> None:
        silent = says([], probability=0.2, no_speech=0.9)
        model = ScriptedModel(short_then_full(silent, says(SENTENCE)), elastic="guarded")
        assert not decode(model).is_silence


class Looking(ScriptedModel):
    """Its alignment heads find the last token at these seconds, and all others at the beginning."""

    def __init__(self, script: Script, *seconds: float, **options: Any) -> None:
        rules = GenerationRules(alignment_heads=tuple((0, head) for head in range(len(seconds))))
        super().__init__(script, **{"elastic": "guarded", "rules": rules, **options})
        self.seconds = seconds
        self.aligned: list[tuple[list[int], int]] = []
        """Tokens and positions of every alignment."""

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[Logits, Logits]:
        self.aligned.append(([*tokens], positions))
        weights = np.zeros((len(self.seconds), len(tokens), positions), np.float32)
        weights[:, :, 0] = 0.5
        for head, second in enumerate(self.seconds):
            # The row before the last token is the one that chooses it.
            weights[head, -2, round(second * 50)] = 1.0
        return weights, np.ones(len(tokens), np.float32)


class TestEndings:
    @pytest.mark.parametrize(
        ("looked_at", "again"),
        [((2.36,), True), ((2.44,), False), ((0.0, 2.44, 2.9), False), ((0.1, 2.3, 2.9), True)],
    )
    def test_an_ending_unheard_is_decoded_again(
        self, looked_at: tuple[float, ...], *, again: bool
    ) -> None:
        script = short_then_full(says(SENTENCE[:2]), says(SENTENCE))
        model = Looking(script, *looked_at)
        outcome = decode(model, 3.0)
        assert model.frames == ([1000, FULL] if again else [1000])
        assert outcome.text == ("turn on the heating" if again else "turn on")

    def test_looks_at_the_text_in_the_real_audio(self) -> None:
        prompt = [*SOT, TOKENIZER.no_timestamps]
        stamps = TOKENIZER.timestamp_begin, TOKENIZER.timestamp_begin + 100
        model = Looking(says([stamps[0], *SENTENCE, stamps[1]]), 2.5)
        decode(model, 3.0, previous=SENTENCE, timestamps=True)
        assert model.aligned == [([*prompt, *SENTENCE], 150)]

    @pytest.mark.parametrize(("sound", "again"), [(2.9, False), (3.1, True)])
    def test_silence_after_the_sound_was_not_missed(self, sound: float, *, again: bool) -> None:
        model = Looking(says(SENTENCE), 2.4)
        decode(model, np.concatenate([audio(sound), 0.01 * audio(3.0)]))
        assert model.frames == ([1000, FULL] if again else [1000])

    def test_asks_about_the_last_word(self) -> None:
        # Decoders look nowhere in particular for a full stop.
        model = Looking(says(TOKENIZER.encode(' turn on the heating."')), 2.5)
        decode(model, 3.0)
        assert [tokens[-1] for tokens, _ in model.aligned] == [SENTENCE[-1]]

    def test_asks_about_a_mark_where_there_is_nothing_else(self) -> None:
        (mark,) = TOKENIZER.encode(".")
        model = Looking(says([mark]), 2.5)
        decode(model, 3.0)
        assert [tokens[-1] for tokens, _ in model.aligned] == [mark]

    @pytest.mark.parametrize(("no_speech", "again"), [(0.01, True), (0.59, True), (0.61, False)])
    def test_no_text_is_believed_where_nobody_speaks(
        self, no_speech: float, *, again: bool
    ) -> None:
        silent = says([], no_speech=no_speech)
        model = Looking(short_then_full(silent, says(SENTENCE)), 0.0)
        assert decode(model, 1.5).text == ("turn on the heating" if again else "")
        assert model.frames == ([1000, FULL] if again else [1000])
        assert model.aligned == []

    def test_short_audio_has_no_room_for_it(self) -> None:
        model = Looking(says([]), 0.0)
        decode(model, 0.6)
        assert model.frames == [1000]
        assert model.aligned == []

    @pytest.mark.parametrize(("seconds", "asked"), [(1.45, False), (1.47, True)])
    def test_who_speaks_fast_is_not_asked(self, seconds: float, *, asked: bool) -> None:
        # 19 characters
        model = Looking(says(SENTENCE), 1.0)
        decode(model, seconds)
        assert bool(model.aligned) is asked
        assert len(model.frames) == 1

    def test_heads_that_nobody_named_are_not_asked(self) -> None:
        model = Looking(says(SENTENCE), 0.0, rules=GenerationRules())
        decode(model, 3.0)
        assert model.frames == [1000]

    def test_not_for_a_layout_that_aligns_no_words(self) -> None:
        model = Looking(says(SENTENCE), 0.0, aligns_words=False)
        decode(model, 3.0)
        assert model.frames == [1000]

    @pytest.mark.parametrize("elastic", ["native", "no"])
    def test_not_for_models_that_are_trusted_or_always_padded(self, elastic: Elastic) -> None:
        model = Looking(says(SENTENCE), 0.0, elastic=elastic)
        decode(model, 3.0)
        assert len(model.frames) == 1
        assert model.aligned == []

    def test_once_only(self) -> None:
        model = Looking(says(SENTENCE), 0.0)
        assert decode(model, 3.0, temperatures=(0.0, 0.5)).text == "turn on the heating"
        assert model.frames == [1000, FULL]


SOUNDS: dict[str, tuple[list[tuple[float, float]], float]] = {
    "all is loud": ([(1.0, 1.0)], 1.0),
    "silence at the end": ([(1.0, 1.0), (0.0, 1.0)], 1.0),
    "a quiet ending": ([(1.0, 1.0), (0.04, 0.5), (0.0, 1.0)], 1.5),
    "too quiet for an ending": ([(1.0, 1.0), (0.02, 0.5), (0.0, 1.0)], 1.0),
    "noise at the end": ([(0.05, 0.5), (0.5, 1.0), (0.05, 2.0)], 1.5),
    "a quiet ending in noise": ([(0.05, 0.5), (0.5, 1.0), (0.15, 0.5), (0.05, 2.0)], 2.0),
    "a pause": ([(0.5, 1.0), (0.0, 1.0), (0.5, 0.5), (0.0, 2.0)], 2.5),
    "a click counts little": ([(0.9, 0.1), (0.02, 2.0), (0.0, 1.0)], 2.1),
    "nothing": ([(0.0, 1.0)], 1.0),
    "too short to be compared": ([(1.0, 0.05)], 0.05),
    "less than a part is left out": ([(1.0, 1.05)], 1.0),
}


class TestSoundingSeconds:
    @pytest.mark.parametrize("name", SOUNDS)
    def test_table(self, name: str) -> None:
        stretches, seconds = SOUNDS[name]
        sound = np.concatenate([level * audio(length) for level, length in stretches])
        assert sounding_seconds(sound.astype(np.float32)) == pytest.approx(seconds)


REPETITION: list[tuple[str, bool]] = [
    ("", False),
    ("ab", False),
    ("a", False),
    ("xaa", False),
    ("aax", False),
    ("xaaax", True),
    ("xabab", False),
    ("xababab", True),
    ("abababx", True),
    ("xabcabcx", True),
    ("xabcabx", False),
    ("abcabdabc", False),
    # All that there is, also without the end of the last time.
    ("aa", True),
    ("abab", True),
    ("ababa", True),
    ("abcab", False),
    ("abcabdabcabd", True),
]


class TestRepetition:
    @pytest.mark.parametrize(("tokens", "repeats"), REPETITION)
    def test_table(self, tokens: str, *, repeats: bool) -> None:
        assert repeats_itself([ord(token) for token in tokens]) is repeats

    @pytest.mark.parametrize(
        "said",
        [
            " turn on the heating. Turn on the heating.",
            ' yes, turn on the heating, "turn on the heating"',
            " No. no",
        ],
    )
    def test_a_sentence_that_is_written_in_another_way(self, said: str) -> None:
        twice = says(TOKENIZER.encode(said))
        model = ScriptedModel(short_then_full(twice, says(SENTENCE)), elastic="guarded")
        assert decode(model, 5.0).text == "turn on the heating"

    @pytest.mark.parametrize("said", [" turn on the lights, turn off the heating", " no, no, yes"])
    def test_a_word_may_come_again(self, said: str) -> None:
        model = ScriptedModel(says(TOKENIZER.encode(said)), elastic="guarded")
        decode(model, 5.0)
        assert model.frames == [1000]

    def test_is_decoded_again_in_short_contexts_only(self) -> None:
        said = TOKENIZER.encode(" no no no")
        model = ScriptedModel(says(said), elastic="guarded")
        assert decode(model).text == "no no no"
        assert model.frames == [1000, FULL]
        model = ScriptedModel(says(said), elastic="native")
        assert decode(model).text == "no no no"
        assert model.frames == [300]


def drawn(model_answers: dict[int, Script]) -> tuple[Script, list[int]]:
    """A script that answers the n-th decoding of the same audio, and the list that counts them."""
    count = [0]

    def script(heard: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        if history[-1] == TOKENIZER.start_of_transcript:
            count[0] += 1
        return model_answers[count[0]](heard, history)

    return script, count


class TestFallback:
    def test_stops_at_the_first_acceptable_answer(self) -> None:
        # Certain enough that no temperature below 1 draws anything else.
        sure = says(SENTENCE, probability=1.0)
        script, count = drawn({1: says(LOOP), 2: says(LOOP, probability=1.0), 3: sure})
        outcome = decode(ScriptedModel(script), temperatures=(0.0, 0.2, 0.4, 0.6))
        assert outcome.text == "turn on the heating"
        assert outcome.decoded.temperature == 0.4
        assert count == [3]

    def test_none_is_needed(self) -> None:
        script, count = drawn({1: says(SENTENCE)})
        assert decode(ScriptedModel(script), temperatures=(0.0, 0.5)).decoded.temperature == 0.0
        assert count == [1]

    def test_silence_needs_none(self) -> None:
        script, count = drawn({1: says(SENTENCE, probability=0.2, no_speech=0.9)})
        outcome = decode(ScriptedModel(script), temperatures=(0.0, 0.5))
        assert outcome.is_silence
        assert count == [1]

    def test_all_temperatures_in_their_order(self) -> None:
        script, count = drawn({1: says(LOOP), 2: says(LOOP), 3: says(LOOP)})
        decode(ScriptedModel(script), temperatures=(0.3, 0.1, 0.2))
        assert count == [3]

    def test_a_guess_is_less_bad_than_a_loop(self) -> None:
        guess = says(SENTENCE, probability=0.3)
        for order in ({1: says(LOOP), 2: guess}, {1: guess, 2: says(LOOP)}):
            script, _ = drawn(order)
            outcome = decode(ScriptedModel(script), temperatures=(0.0, 0.0))
            assert outcome.text == "turn on the heating"

    def test_a_guess_is_less_bad_than_a_loop_too_short_to_compress(self) -> None:
        # 16 bytes hardly compress at all, and every one of them was likely.
        script, _ = drawn({1: says([ord("a")] * 200), 2: says(SENTENCE, probability=0.3)})
        outcome = decode(ScriptedModel(script), temperatures=(0.0, 0.0))
        assert outcome.text == "turn on the heating"

    def test_the_likeliest_of_guesses(self) -> None:
        guesses = {
            1: says(SENTENCE[:1], probability=0.25),
            2: says(SENTENCE, probability=0.33),
            3: says(SENTENCE[:2], probability=0.3),
        }
        script, _ = drawn(guesses)
        outcome = decode(ScriptedModel(script), temperatures=(0.0, 0.0, 0.0))
        assert outcome.text == "turn on the heating"

    def test_the_same_seed_gives_the_same_text(self) -> None:
        model = ScriptedModel(endless)
        texts = {decode(model, temperatures=(1.0,)).text for _ in range(3)}
        assert len(texts) == 1


class TestJudgement:
    @pytest.mark.parametrize(
        ("no_speech", "probability", "silence"),
        [(0.61, 0.3, True), (0.59, 0.3, False), (0.61, 0.4, False)],
    )
    def test_silence(self, no_speech: float, probability: float, *, silence: bool) -> None:
        # ln 0.3 = -1.2, ln 0.4 = -0.9
        model = ScriptedModel(says(SENTENCE, probability=probability, no_speech=no_speech))
        outcome = decode(model)
        assert outcome.is_silence is silence
        assert outcome.no_speech_probability == pytest.approx(no_speech, abs=0.01)
        assert outcome.is_plausible is (probability == 0.4)

    def test_no_speech_is_read_after_the_start_token(self) -> None:
        # The same token's probability is 0 everywhere else.
        model = ScriptedModel(says(SENTENCE, no_speech=0.05))
        outcome = decode(model, previous=SENTENCE)
        assert outcome.no_speech_probability == pytest.approx(0.05, rel=0.05)

    def test_compression(self) -> None:
        assert compression_ratio("") == 0.0
        assert compression_ratio("turn on the heating") < 1.0
        assert compression_ratio("no " * 60) > 2.4
        # Measured in bytes: characters outside ASCII have several.
        assert compression_ratio("ü" * 100) > compression_ratio("u" * 100)


class TestPrompt:
    def test_layout(self) -> None:
        model = ScriptedModel(says(SENTENCE))
        decode(model)
        decode(model, previous=[65, 66])
        decode(model, previous=[65], timestamps=True)
        decode(model, timestamps=True)
        assert model.prompts == [
            [*SOT, TOKENIZER.no_timestamps],
            [TOKENIZER.start_of_previous, 65, 66, *SOT, TOKENIZER.no_timestamps],
            [TOKENIZER.start_of_previous, 65, *SOT],
            [*SOT],
        ]

    def test_the_last_of_a_long_past(self) -> None:
        model = ScriptedModel(says(SENTENCE), max_tokens=40)
        past = [65 + index % 20 for index in range(60)]
        decode(model, previous=past)
        (prompt,) = model.prompts
        assert prompt == [
            *(TOKENIZER.start_of_previous, *past[-19:], *SOT, TOKENIZER.no_timestamps)
        ]

    @pytest.mark.parametrize("timestamps", [False, True])
    @pytest.mark.parametrize("past", [0, 500])
    @pytest.mark.parametrize("max_tokens", [12, 40, 448])
    def test_never_beyond_the_positions(
        self, max_tokens: int, past: int, *, timestamps: bool
    ) -> None:
        model = ScriptedModel(endless, max_tokens=max_tokens)
        # The model asserts that it is asked for no more positions than it has.
        outcome = decode(model, 29.0, previous=[65] * past, timestamps=timestamps)
        room = max_tokens - len(model.prompts[0])
        assert len(outcome.decoded.tokens) == min(max_tokens // 2, room)

    @pytest.mark.parametrize(("seconds", "tokens"), [(0.01, 24), (1.0, 49), (2.0, 74), (8.0, 224)])
    def test_no_more_tokens_than_anybody_says_in_the_time(
        self, seconds: float, tokens: int
    ) -> None:
        assert len(decode(ScriptedModel(endless), seconds).decoded.tokens) == tokens

    def test_timestamps_are_produced_only_when_asked_for(self) -> None:
        begin = TOKENIZER.timestamp_begin
        answer = [begin, *SENTENCE, begin + 100]
        model = ScriptedModel(says(answer))
        with_times = decode(model, timestamps=True)
        assert [*with_times.decoded.tokens] == answer
        assert with_times.text == "turn on the heating"
        assert not any(map(TOKENIZER.is_timestamp, decode(model).decoded.tokens))

    def test_english_model(self) -> None:
        model = ScriptedModel(says(SENTENCE), multilingual=False)
        start = [TOKENIZER.start_of_transcript]
        assert decode(model, sot=start, timestamps=True).decoded.tokens == (
            TOKENIZER.timestamp_begin,
        )
        assert decode(model, sot=start).text == "turn on the heating"
        assert model.prompts == [start, [*start, TOKENIZER.no_timestamps]]


class TestBeams:
    def test_search_gets_the_options(self) -> None:
        # "no" is likelier at first and as a whole, the tokens of "yes yes" are on average.
        no, yes = TOKENIZER.encode(" no yes")

        def script(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
            after = {(): [(no, 0.5), (yes, 0.4)], (no,): [(END, 0.7)], (yes,): [(yes, 0.9)]}
            return likely(*after.get(produced(history), [(END, 0.9)]))

        assert decode(ScriptedModel(script)).text == "no"
        assert decode(ScriptedModel(script), beams=3).text == "yes yes"
        assert decode(ScriptedModel(script), beams=3, length_penalty=0.0).text == "no"


class TestLanguages:
    def script(self, _: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        assert history == (TOKENIZER.start_of_transcript,)
        codes = TOKENIZER.languages
        return likely((codes["de"], 0.5), (codes["en"], 0.2), (codes["zh"], 0.1), (65, 0.15))

    def probabilities(self, *allowed: str) -> dict[str, float]:
        options = DecodingOptions(beams=2, temperatures=GREEDY, timestamps=False)
        decoder = WindowDecoder(ScriptedModel(self.script), options)
        encoded, _ = decoder.encode(audio(1))
        return dict(decoder.language_probabilities(encoded, allowed))

    def test_all(self) -> None:
        expected = {"en": 0.25, "de": 0.625, "zh": 0.125}
        assert self.probabilities() == pytest.approx(expected, rel=1e-3)

    def test_allowed_only(self) -> None:
        assert self.probabilities("zh", "en") == pytest.approx({"zh": 1 / 3, "en": 2 / 3}, rel=1e-3)
