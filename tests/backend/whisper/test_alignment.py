"""Word times: the path through a matrix against a plain reference, and attention whose path is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.whisper.alignment import (
    MEDIAN_WIDTH,
    SHORTEST_WORD,
    _attach_punctuation,
    _median_filter,
    align_words,
    give_lengths,
    nearest_ascending,
    shorten_after_pauses,
    warp,
)
from rtap.whisper.load_model import load_model
from rtap.whisper.model import EncodedAudio
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.result import Word
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from tests.backend.whisper.scripted_model import (
    ScriptedAudio,
    ScriptedModel,
    likely,
    small_tokenizer,
)

ROOT = Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "backend/rtap/models/cabin-en"
AUDIO = ROOT / "tests/audio"
TOKENIZER = small_tokenizer()
SOT = TOKENIZER.sot_sequence("en")
Matrix = NDArray[np.float32]


def cheapest(cost: Matrix) -> float:
    """The recurrence, cell by cell."""
    height, width = cost.shape
    total = np.full((height + 1, width + 1), np.inf)
    total[0, 0] = 0.0
    for row in range(height):
        for column in range(width):
            before = min(total[row, column], total[row, column + 1], total[row + 1, column])
            total[row + 1, column + 1] = cost[row, column] + before
    return float(total[-1, -1])


class TestWarp:
    @pytest.mark.parametrize(
        "shape", [(1, 1), (1, 9), (9, 1), (2, 2), (5, 30), (30, 5), (17, 17), (12, 60)]
    )
    @pytest.mark.parametrize("seed", range(3))
    def test_is_the_cheapest_path(self, shape: tuple[int, int], seed: int) -> None:
        # Costs below zero, as alignment has them, make detours pay.
        cost = np.random.default_rng(seed).normal(-0.3, 1.0, shape).astype(np.float32)
        rows, columns = warp(cost)
        assert (rows[0], columns[0]) == (0, 0)
        assert (rows[-1] + 1, columns[-1] + 1) == shape
        moves = set(zip(np.diff(rows).tolist(), np.diff(columns).tolist(), strict=True))
        assert moves <= {(0, 1), (1, 0), (1, 1)}
        assert cost[rows, columns].sum(dtype=np.float64) == pytest.approx(cheapest(cost), abs=1e-4)

    def test_follows_a_valley(self) -> None:
        valley = [(0, 0), (0, 1), (1, 2), (2, 2), (2, 3), (2, 4), (3, 5)]
        cost = np.ones((4, 6), np.float32)
        cost[tuple(np.array(valley).T)] = -1.0
        assert list(zip(*(axis.tolist() for axis in warp(cost)), strict=True)) == valley


class AttentiveModel(ScriptedModel):
    """Looks, with every token, at a given stretch of positions; other heads look anywhere."""

    def __init__(self, stretches: Sequence[tuple[int, int]], heads: int = 1) -> None:
        # "a" is predicted with 0.5, any other token with next to nothing.
        super().__init__(lambda _, __: likely((ord("a"), 0.5), (TOKENIZER.end_of_text, 0.4)))
        self.stretches = stretches
        self.heads = heads
        self.asked: list[int] = []

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[Matrix, Matrix]:
        self.asked = list(tokens)
        random = np.random.default_rng(0)
        weights = random.uniform(0, 0.02, (self.heads, len(tokens), positions)).astype(np.float32)
        # The row before a token predicts it; the prompt looks nowhere in particular.
        first = len(SOT)
        for row, (start, end) in enumerate(self.stretches, start=first):
            weights[:, row, start:end] += 1.0
        _, probabilities = super().alignment_weights(encoded, tokens, positions)
        return weights, probabilities


def aligned(
    pieces: Sequence[str],
    stretches: Sequence[tuple[int, int]],
    *,
    positions: int = 100,
    language: str = "en",
    heads: int = 1,
) -> tuple[list[list[Word]], AttentiveModel]:
    model = AttentiveModel(stretches, heads)
    audio = model.encode(np.zeros((2, 2 * positions), np.float32))
    tokens = [TOKENIZER.encode(piece) for piece in pieces]
    return align_words(model, audio, tokens, SOT, language, positions), model


def times(words: Sequence[Word]) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for word in words]


class TestAlignWords:
    @pytest.mark.parametrize("heads", [1, 3])
    def test_known_path(self, heads: int) -> None:
        stretches = [(0, 20), (20, 30), (30, 65), (65, 90), (90, 100)]
        (words,), model = aligned([" turn on the heating"], stretches, heads=heads)
        assert times(words) == [
            (" turn", 0.0, 0.4),
            (" on", 0.4, 0.6),
            (" the", 0.6, 1.3),
            (" heating", 1.3, 1.8),
        ]
        text = TOKENIZER.encode(" turn on the heating")
        assert model.asked == [*SOT, TOKENIZER.no_timestamps, *text, TOKENIZER.end_of_text]

    def test_words_of_many_tokens(self) -> None:
        # A " turn" of one token, then "ab", " cd" byte by byte.
        stretches = [(0, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 100)]
        (words,), _ = aligned([" turnab cd"], stretches)
        assert times(words) == [(" turnab", 0.0, 0.6), (" cd", 0.6, 1.2)]

    def test_probability_is_the_mean_of_the_tokens(self) -> None:
        (words,), _ = aligned([" turn xa"], [(0, 20), (20, 50), (50, 70), (70, 80), (80, 100)])
        assert [word.text for word in words] == [" turn", " xa"]
        # The end of text takes no part: " xa" is two tokens of nearly nothing, and one of 0.5 / 0.6.
        text_mass, rest = 0.6, 0.1 / TOKENIZER.end_of_text
        assert words[0].probability == pytest.approx(rest / text_mass, rel=1e-3)
        assert words[1].probability == pytest.approx((2 * rest + 0.5) / 3 / text_mass, rel=1e-3)

    def test_characters_of_languages_without_spaces(self) -> None:
        (words,), _ = aligned(["你好"], [(0, 25), (25, 75), (75, 100)], language="zh")
        assert times(words) == [("你", 0.0, 0.5), ("好", 0.5, 1.5)]

    def test_no_word_spans_two_pieces(self) -> None:
        stretches = [(0, 20), (20, 30), (30, 65), (65, 90), (90, 100)]
        pieces, _ = aligned([" turn", "heating", ". yes"], [*stretches, (99, 100)])
        assert [[word.text for word in words] for words in pieces] == [
            [" turn"],
            ["heating"],
            [".", " yes"],
        ]
        assert pieces[1][0].start == 0.4

    def test_nothing_was_said(self) -> None:
        assert aligned([], [])[0] == []
        words, model = aligned(["", ""], [])
        assert words == [[], []]
        assert model.asked == []

    @pytest.mark.parametrize("positions", [1, 2, MEDIAN_WIDTH // 2, MEDIAN_WIDTH])
    def test_hardly_any_audio(self, positions: int) -> None:
        (words,), _ = aligned([" turn on the heating"], [], positions=positions)
        assert "".join(word.text for word in words) == " turn on the heating"
        for word in words:
            assert 0.0 <= word.start <= word.end <= positions * 0.02

    def test_a_look_elsewhere_does_not_matter(self) -> None:
        model = AttentiveModel([(0, 30), (30, 60), (60, 100)])
        audio = model.encode(np.zeros((2, 200), np.float32))
        tokens = TOKENIZER.encode(" turn on")
        whole = model.alignment_weights

        def distracted(
            encoded: EncodedAudio, tokens: Sequence[int], positions: int
        ) -> tuple[Matrix, Matrix]:
            weights, probabilities = whole(encoded, tokens, positions)
            weights[0, len(SOT) + 1, [2, 3, 90]] = 30.0
            return weights, probabilities

        model.alignment_weights = distracted  # type: ignore[method-assign]
        (words,) = align_words(model, audio, [tokens], SOT, "en", 100)
        assert times(words) == [(" turn", 0.0, 0.6), (" on", 0.6, 1.2)]

    def test_a_head_that_looks_everywhere_alike(self) -> None:
        # Its standard deviation is zero, which must not make the others' times meaningless.
        model = ScriptedModel(lambda _, __: likely())
        audio = ScriptedAudio(0, 200, 0, 0.0)
        model.encoded.append(audio)

        def even(
            encoded: EncodedAudio, tokens: Sequence[int], positions: int
        ) -> tuple[Matrix, Matrix]:
            weights = np.full((2, len(tokens), positions), 0.5, np.float32)
            for row, start in enumerate(range(0, positions, positions // 5), start=len(SOT)):
                weights[1, row, start : start + positions // 5] = 1.0
            return weights, np.ones(len(tokens), np.float32)

        model.alignment_weights = even  # type: ignore[method-assign]
        tokens = TOKENIZER.encode(" turn on the heating")
        (words,) = align_words(model, audio, [tokens], SOT, "en", 100)
        assert [word.start for word in words] == [0.0, 0.4, 0.8, 1.2]

    def test_faint_heads_count_as_much_as_strong_ones(self) -> None:
        # Three heads agree; one, with weights a thousand times theirs, looks elsewhere.
        model = AttentiveModel([(0, 30), (30, 60), (60, 100)], heads=4)
        audio = model.encode(np.zeros((2, 200), np.float32))
        whole = model.alignment_weights

        def outshone(
            encoded: EncodedAudio, tokens: Sequence[int], positions: int
        ) -> tuple[Matrix, Matrix]:
            weights, probabilities = whole(encoded, tokens, positions)
            weights[:3] *= 1e-3
            weights[3] = np.roll(weights[3], 20, axis=-1)
            return weights, probabilities

        model.alignment_weights = outshone  # type: ignore[method-assign]
        (words,) = align_words(model, audio, [TOKENIZER.encode(" turn on")], SOT, "en", 100)
        assert times(words) == [(" turn", 0.0, 0.6), (" on", 0.6, 1.2)]


Span = tuple[str, float, float]

LENGTHS: dict[str, tuple[float, list[Span], list[Span]]] = {
    "nothing is said": (3.0, [], []),
    "all are long enough": (
        3.0,
        [("turn", 0.1, 0.4), ("on", 0.4, 0.44), ("heating", 1.0, 1.5)],
        [("turn", 0.1, 0.4), ("on", 0.4, 0.44), ("heating", 1.0, 1.5)],
    ),
    "both neighbours give the same": (
        3.0,
        [("the", 0.4, 0.8), ("temperature", 0.8, 0.8), ("to", 0.8, 1.4)],
        [("the", 0.4, 0.69), ("temperature", 0.69, 0.91), ("to", 0.91, 1.4)],
    ),
    "the space after a word is nobody's": (
        3.0,
        [("the", 0.4, 0.8), ("lights", 0.8, 0.8), ("on", 1.0, 1.4)],
        [("the", 0.4, 0.76), ("lights", 0.76, 0.88), ("on", 1.0, 1.4)],
    ),
    "the first": (
        3.0,
        [("set", 0.0, 0.0), ("the", 0.0, 0.5)],
        [("set", 0.0, 0.06), ("the", 0.06, 0.5)],
    ),
    "the last": (
        1.0,
        [("twenty", 0.2, 1.0), ("degrees", 1.0, 1.0)],
        [("twenty", 0.2, 0.86), ("degrees", 0.86, 1.0)],
    ),
    "several in a row": (
        2.0,
        [("a", 0.0, 1.0), ("b", 1.0, 1.0), ("c", 1.0, 1.0), ("d", 1.0, 2.0)],
        [("a", 0.0, 0.96), ("b", 0.96, 1.0), ("c", 1.0, 1.04), ("d", 1.04, 2.0)],
    ),
    "all in the same place": (
        2.0,
        [("a", 1.0, 1.0), ("b", 1.0, 1.0)],
        [("a", 0.96, 1.0), ("b", 1.0, 1.04)],
    ),
    "too little audio": (
        0.2,
        [("temperature", 0.0, 0.0), ("degrees", 0.0, 0.2), ("no", 0.2, 0.2)],
        [("temperature", 0.0, 0.11), ("degrees", 0.11, 0.18), ("no", 0.18, 0.2)],
    ),
}


def words_of(spans: Sequence[Span]) -> list[Word]:
    return [Word(text, start, end, 0.5) for text, start, end in spans]


class TestLengths:
    @pytest.mark.parametrize("name", LENGTHS)
    def test_table(self, name: str) -> None:
        seconds, before, after = LENGTHS[name]
        assert give_lengths(words_of(before), seconds) == words_of(after)

    @pytest.mark.parametrize("seed", range(20))
    def test_any_words(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        times = np.sort(random.integers(0, 100, (30, 2)), axis=None).reshape(-1, 2) / 50
        words = [Word(" on", start, end, 0.5) for start, end in times.tolist()]
        timed = give_lengths(words, 2.0)
        assert all(word.end - word.start > SHORTEST_WORD - 0.0011 for word in timed)
        assert all(one.end <= other.start for one, other in pairwise(timed))
        assert timed[0].start >= 0.0
        assert timed[-1].end <= 2.0

    @pytest.mark.parametrize("seed", range(20))
    def test_ascending_is_by_the_definition(self, seed: int) -> None:
        values = np.random.default_rng(seed).normal(size=12)
        expected = [
            max(
                min(values[first:end].mean() for end in range(at + 1, 13))
                for first in range(at + 1)
            )
            for at in range(12)
        ]
        np.testing.assert_allclose(nearest_ascending(values), expected)

    def test_words_that_the_path_passes_in_no_time(self) -> None:
        # The decoder looks at " the" only when it has said " on" and " heating".
        (words,), _ = aligned([" turn on the heating"], [(0, 50), (50, 51), (50, 51), (51, 100)])
        assert all(word.end - word.start >= SHORTEST_WORD for word in words)
        assert words[-1].end <= 2.0


@pytest.mark.parametrize("name", ["set_the_temperature", "turn_on_the_heating", "navigate_home"])
def test_every_word_of_a_spoken_command_has_a_length(name: str) -> None:
    """The bundled model looks at some words only after they were said."""
    audio, _ = soundfile.read(AUDIO / f"{name}.wav", dtype="float32")
    engine = Transcriber(load_model(ModelDirectory.open(BUNDLED), threads=1), None)
    found = engine.transcribe([audio], TranscribeOptions(language="en", word_timestamps=True))
    words = [word for segment in found.segments for word in segment.words]
    assert len(words) == len(found.text.split())
    assert all(word.end - word.start >= SHORTEST_WORD for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))
    assert words[-1].end <= found.duration


PAUSES: dict[str, tuple[list[Span], list[float]]] = {
    "none": ([], []),
    "no length at all": ([("turn", 1.0, 1.0)], [1.0]),
    "silence first": ([("turn", 0.0, 1.5), ("on", 1.5, 1.7), ("now", 1.7, 1.9)], [1.1, 1.5, 1.7]),
    "a long word first": (
        [("turn", 0.0, 0.7), ("on", 0.7, 0.9), ("now", 0.9, 1.1)],
        [0.0, 0.7, 0.9],
    ),
    "after a sentence": (
        [("turn", 0.0, 0.2), ("on.", 0.2, 0.4), ("turn", 0.5, 2.5), ("off", 2.5, 2.7)],
        [0.0, 0.2, 2.1, 2.5],
    ),
    "within a sentence": (
        [("turn", 0.0, 0.2), ("on,", 0.2, 0.4), ("turn", 0.5, 2.5), ("off", 2.5, 2.7)],
        [0.0, 0.2, 0.5, 2.5],
    ),
    # The median is at most 0.7 s, so a lone word lasts 1.4 s at most.
    "a lone word": ([("turn", 0.0, 5.0)], [3.6]),
}


class TestPauses:
    @pytest.mark.parametrize("name", PAUSES)
    def test_table(self, name: str) -> None:
        spans, starts = PAUSES[name]
        shortened = shorten_after_pauses(words_of(spans))
        assert [word.start for word in shortened] == pytest.approx(starts)
        assert [(word.text, word.end) for word in shortened] == [
            (text, end) for text, _, end in spans
        ]


class TestMedianFilter:
    @pytest.mark.parametrize("width", [4, 7, 30])
    def test_by_the_definition(self, width: int) -> None:
        values = np.random.default_rng(0).normal(size=(2, 3, width)).astype(np.float32)
        reach = MEDIAN_WIDTH // 2
        padded = np.pad(values, [(0, 0), (0, 0), (reach, reach)], mode="reflect")
        expected = [np.median(padded[..., at : at + MEDIAN_WIDTH], axis=-1) for at in range(width)]
        np.testing.assert_array_equal(_median_filter(values), np.stack(expected, axis=-1))

    @pytest.mark.parametrize("width", [1, 3])
    def test_too_little_to_filter(self, width: int) -> None:
        values = np.arange(width, dtype=np.float32)[np.newaxis] ** 2
        np.testing.assert_array_equal(_median_filter(values), values)


PUNCTUATION = {
    "closing": ([" turn", " on", ".", " yes", "!"], [" turn", " on.", " yes!"]),
    "several": ([" on", ".", ".", ".", '"'], [' on..."']),
    "opening": ([" turn", " (", "on", ")"], [" turn", " (on)"]),
    "quotation": ([" no", ",", ' "', "yes", '"', " and"], [" no,", ' "yes"', " and"]),
    "quotation first": ([' "', "yes", '"'], [' "yes"']),
    "opening twice": ([" (", ' "', "yes", '"', ")"], [' ( "yes")']),
    "a mark before any word": ([".", " yes"], [".", " yes"]),
    "opening at the end": ([" yes", " ("], [" yes", " ("]),
    "a mark that stands free": ([" yes", " .", " no"], [" yes", " .", " no"]),
    "Chinese": (["你", "，", "好", "。"], ["你，", "好。"]),
    "white space": ([" yes", " ", " no"], [" yes", " ", " no"]),
    "none": ([], []),
}


class TestPunctuation:
    @pytest.mark.parametrize("name", PUNCTUATION)
    def test_table(self, name: str) -> None:
        before, after = PUNCTUATION[name]
        words = [Word(text, float(at), at + 1.0, 0.1 * at) for at, text in enumerate(before)]
        joined = _attach_punctuation(words)
        assert [word.text for word in joined] == after
        assert all(one.end <= other.start for one, other in pairwise(joined))

    def test_times_are_those_of_the_word(self) -> None:
        mark, word, end = Word(" (", 0, 1, 0.1), Word("on", 1, 2, 0.9), Word(")", 5, 9, 0.2)
        assert _attach_punctuation([mark, word, end]) == [Word(" (on)", 1, 2, 0.9)]
