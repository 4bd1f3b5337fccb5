"""The segmenter on tables of probabilities, one letter for each chunk of 32 ms, and on any of them."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtap.audio.format import VAD_CHUNK
from rtap.config import VadConfig
from rtap.stages.segment import (
    Segmenter,
    SegmentEvent,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
)

PROBABILITIES = {".": 0.02, ",": 0.09, "f": 0.1, "-": 0.34, "o": 0.4, "s": 0.9, "S": 1.0}
"""Silence, just below faint, faint, just below hysteresis, within it, speech, certain speech (threshold
0.5)."""

SHORT = VadConfig(min_speech_ms=96, min_silence_ms=160, speech_pad_ms=64, max_utterance_ms=1_024)
"""In chunks: 3 of speech, 5 of silence, 2 of margin, 32 at most."""
PATIENT = VadConfig(min_speech_ms=96, min_silence_ms=256, speech_pad_ms=160, max_utterance_ms=1_024)
"""In chunks: 3 of speech, 8 of silence, 5 of margin, 32 at most."""


class Run(NamedTuple):
    """What came of a stream; positions in chunks."""

    began: list[int]
    utterances: list[tuple[int, int]]
    ends_of_speech: list[int]
    events: list[tuple[int, SegmentEvent]]
    """With the number of chunks pushed before each."""


def stream(chunks: int) -> NDArray[np.float32]:
    """Numbered samples: exact in float32 below 2**24."""
    return np.arange(chunks * VAD_CHUNK, dtype=np.float32).reshape(chunks, VAD_CHUNK)


def run(segmenter: Segmenter, probabilities: list[float]) -> Run:
    audio = stream(len(probabilities))
    events: list[tuple[int, SegmentEvent]] = []
    for number, (chunk, probability) in enumerate(zip(audio, probabilities, strict=True), 1):
        events += [(number, event) for event in segmenter.push(chunk, probability)]
    events += [(len(audio), event) for event in segmenter.flush()]

    result = Run([], [], [], events)
    for _, event in events:
        if isinstance(event, SpeechBegan):
            result.began.append(event.start_sample // VAD_CHUNK)
        if not isinstance(event, SpeechEnded):
            continue
        end = event.start_sample + event.samples.size
        # The samples are those of the stream at that place.
        np.testing.assert_array_equal(event.samples, audio.ravel()[event.start_sample : end])
        result.utterances.append((event.start_sample // VAD_CHUNK, end // VAD_CHUNK))
        result.ends_of_speech.append(event.end_sample_of_speech // VAD_CHUNK)
    return result


def table(pattern: str, config: VadConfig = SHORT) -> Run:
    return run(Segmenter(config), [PROBABILITIES[letter] for letter in pattern])


@pytest.mark.parametrize(
    ("pattern", "utterances"),
    [
        ("." * 40, []),
        ("....ssss.......", [(2, 10)]),
        (".ssss.......", [(0, 7)]),  # less margin than wanted: the stream begins there
        ("....ss..........", []),  # too short
        ("....s.s.s.......", [(2, 11)]),  # enough in all, with less than the silence that ends it
        ("....ss.....ss.....ss.....", []),  # never enough without that silence between
        ("....ssss....ssss.......", [(2, 18)]),  # a pause
        ("....ssss.....ssss.......", [(2, 10), (11, 19)]),
        ("....ssss.....ssss", [(2, 10), (11, 17)]),  # the stream ends in speech
        ("....ssss.", [(2, 9)]),  # or right after it
        ("....ss", []),
        ("....oooo.......", []),  # hysteresis: not enough to begin
        ("....soooo.......", [(2, 11)]),  # enough to go on
        ("....sss-oooo.......", [(2, 9)]),  # below it, speech is over until the threshold again
        ("....sss-ooos.......", [(2, 14)]),
    ],
)
def test_utterances(pattern: str, utterances: list[tuple[int, int]]) -> None:
    assert table(pattern).utterances == utterances


@pytest.mark.parametrize(
    ("pattern", "utterances"),
    [
        ("........ffffssss.......", [(6, 18)]),  # a soft beginning
        ("........f...ossss.......", [(6, 19)]),  # with a plosive
        ("........f....ssss.......", [(11, 19)]),  # too long before it
        ("........,,,,ssss.......", [(10, 18)]),  # too soft
        (
            "fffffffffffffffssss.......",
            [(5, 21)],
        ),  # a quarter of the longest utterance, and the margin
        ("........ffffss.......", []),  # faint speech does not make a click a word
        ("....ssss.....ffssss.......", [(2, 10), (11, 21)]),  # nothing is taken twice
        ("....ssss....ffff....ffssss.......", [(2, 10), (18, 28)]),
    ],
)
def test_beginnings(pattern: str, utterances: list[tuple[int, int]]) -> None:
    result = table(pattern)
    assert result.utterances == utterances
    # The margin comes before the faint speech, as far as the stream goes back.
    assert all(
        began - begin in {0, 1, 2}
        for began, (begin, _) in zip(result.began, utterances, strict=True)
    )


def test_how_certain_speech_was() -> None:
    segmenter = Segmenter(PATIENT)
    assert segmenter.certainty == 0.0
    audio = stream(20)
    events: list[SegmentEvent] = []
    for chunk, letter in zip(audio, "..fsSo.o............", strict=True):
        events += segmenter.push(chunk, PROBABILITIES[letter])
    # Faint speech before it, silence within and after it, and what no longer is speech do not count.
    certain = [event.certainty for event in events if isinstance(event, SpeechPaused | SpeechEnded)]
    assert certain == [pytest.approx((0.9 + 1.0 + 0.4) / 3)] * 2
    assert certain[0] == certain[1]
    assert segmenter.certainty == 0.0


def test_when_events_come() -> None:
    result = table("....ssss.......")
    assert [(at, type(event)) for at, event in result.events] == [
        (7, SpeechBegan),  # the third chunk of speech
        (13, SpeechEnded),  # the fifth of silence
    ]
    assert result.began == [4]
    assert result.ends_of_speech == [8]


def test_the_margin_is_never_longer_than_the_silence() -> None:
    config = VadConfig(min_speech_ms=96, min_silence_ms=100, speech_pad_ms=320)
    # Neither is it taken twice: what follows the first utterance is free for the second.
    assert table("............ssss....ssss....", config).utterances == [(2, 20), (20, 28)]


def test_lengths_are_rounded_up_to_chunks() -> None:
    config = VadConfig(min_speech_ms=33, min_silence_ms=129, speech_pad_ms=1)
    assert table("...s.........", config).utterances == []
    assert table("...ss....s........", config).utterances == [(2, 11)]
    assert table("...ss.....ss......", config).utterances == [(2, 6), (9, 13)]


class TestTooLong:
    def test_cut_at_the_least_likely_chunk(self) -> None:
        pattern = "." * 4 + "S" * 22 + "s" + "S" * 20 + "." * 8
        result = table(pattern)
        assert result.utterances == [(2, 27), (27, 49)]
        assert result.began == [4, 27]
        assert [at for at, _ in result.events] == [7, 34, 34, 52]

    def test_not_at_a_chunk_further_back(self) -> None:
        pattern = "." * 4 + "S" * 8 + "s" + "S" * 40
        assert table(pattern).utterances == [(2, 34), (34, 53)]

    def test_even_speech_gives_the_longest_utterances(self) -> None:
        assert table("S" * 80).utterances == [(0, 32), (32, 64), (64, 80)]

    def test_the_rest_of_a_word_is_not_too_short(self) -> None:
        assert table("S" * 33 + "." * 10).utterances == [(0, 32), (32, 35)]
        assert table("S" * 28 + "....s" + "." * 10).utterances == [(0, 32), (32, 35)]

    def test_silence_after_the_cut_is_no_utterance(self) -> None:
        result = table("S" * 29 + "." * 20)
        assert result.utterances == [(0, 32)]
        assert result.ends_of_speech == [29]

    def test_a_click_long_after_the_cut_is_too_short_again(self) -> None:
        assert table("S" * 29 + "." * 9 + "s" + "." * 9).utterances == [(0, 32)]

    def test_thirty_seconds(self) -> None:
        result = table("s" * 2_000, VadConfig())
        assert [end - begin for begin, end in result.utterances] == [937, 937, 126]


class TestPauses:
    def pauses(self, pattern: str, config: VadConfig = PATIENT) -> list[tuple[int, int | None]]:
        """When each began, and how much was said; None where it was over."""
        return [
            (at, event.samples.size // VAD_CHUNK if isinstance(event, SpeechPaused) else None)
            for at, event in table(pattern, config).events
            if isinstance(event, SpeechPaused | SpeechResumed)
        ]

    def test_once_the_margin_is_whole(self) -> None:
        assert self.pauses("....ssss........") == [(13, 13)]
        [pause] = [
            event
            for _, event in table("....ssss........", PATIENT).events
            if isinstance(event, SpeechPaused)
        ]
        np.testing.assert_array_equal(pause.samples, stream(13).ravel())

    def test_somebody_goes_on(self) -> None:
        assert self.pauses("....ssss.....s......s..") == [
            (13, 13),
            (14, None),
            (19, 19),
            (21, None),
        ]

    def test_within_a_word(self) -> None:
        assert self.pauses("....ssss....ssss....s") == []

    def test_a_short_margin_does_not_make_a_pause_of_every_consonant(self) -> None:
        config = VadConfig(min_speech_ms=96, min_silence_ms=256, speech_pad_ms=0)
        assert self.pauses("....ssss....ssss.....", config) == [(21, 12)]

    @pytest.mark.parametrize(("pad", "silence"), [(160, 160), (320, 256), (64, 160)])
    def test_nothing_is_won_where_the_end_is_as_near(self, pad: int, silence: int) -> None:
        config = VadConfig(min_speech_ms=96, min_silence_ms=silence, speech_pad_ms=pad)
        assert self.pauses("....ssss....ssss" + "." * 20, config) == []

    def test_a_click_is_no_utterance(self) -> None:
        assert self.pauses("....ss..........") == []

    def test_what_is_too_long_may_be_cut_in_its_pause(self) -> None:
        result = table("S" * 25 + "." * 15, PATIENT)
        kinds = [(at, type(event)) for at, event in result.events]
        assert kinds == [(3, SpeechBegan), (30, SpeechPaused), (32, SpeechEnded)]
        assert result.utterances == [(0, 32)]

    def test_what_is_left_of_a_cut_pauses_for_itself(self) -> None:
        probabilities = [1.0] * 21 + [0.0] + [1.0] * 4 + [0.02] * 20
        result = run(Segmenter(PATIENT), probabilities)
        assert [(at, type(event)) for at, event in result.events] == [
            (3, SpeechBegan),
            (31, SpeechPaused),
            (32, SpeechEnded),  # after the chunk that is no speech at all
            (32, SpeechBegan),
            (33, SpeechPaused),
            (34, SpeechEnded),
        ]
        assert result.utterances == [(0, 22), (22, 31)]

    def test_flush_forgets_it(self) -> None:
        segmenter = Segmenter(PATIENT)
        for _ in range(2):
            events = [
                event
                for chunk, letter in zip(stream(13), "....ssss.....", strict=True)
                for event in segmenter.push(chunk, PROBABILITIES[letter])
            ]
            assert isinstance(events[-1], SpeechPaused)
            [ended] = segmenter.flush()
            assert isinstance(ended, SpeechEnded)
            np.testing.assert_array_equal(ended.samples, events[-1].samples)


def test_speech_so_far() -> None:
    segmenter = Segmenter(SHORT)
    audio = stream(20)
    lengths = []
    for chunk, letter in zip(audio, "....ssss.s........", strict=False):
        segmenter.push(chunk, PROBABILITIES[letter])
        so_far = segmenter.speech_so_far()
        lengths.append(None if so_far is None else so_far.size // VAD_CHUNK)
        if so_far is not None:
            np.testing.assert_array_equal(so_far, audio.ravel()[2 * VAD_CHUNK :][: so_far.size])
    assert lengths == [None] * 6 + [5, 6, 7, 8, 9, 10, 10, 10, None, None, None, None]


def test_flush_and_reset_begin_another_stream() -> None:
    segmenter = Segmenter(SHORT)
    pattern = [PROBABILITIES[letter] for letter in "....ssss"]
    first = run(segmenter, pattern)
    assert run(segmenter, pattern).utterances == first.utterances == [(2, 8)]
    for chunk in stream(8):
        segmenter.push(chunk, 0.9)
    segmenter.reset()
    assert segmenter.speech_so_far() is None
    assert segmenter.flush() == []
    assert run(segmenter, pattern).utterances == first.utterances


def test_chunks_are_copied() -> None:
    segmenter = Segmenter(SHORT)
    chunk = np.zeros(VAD_CHUNK, dtype=np.float32)
    for number in range(4):
        chunk[:] = number
        segmenter.push(chunk, 0.9)
    so_far = segmenter.speech_so_far()
    assert so_far is not None
    assert so_far[::VAD_CHUNK].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("shape", [(0,), (VAD_CHUNK - 1,), (1, VAD_CHUNK)])
def test_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="512 samples"):
        Segmenter(SHORT).push(np.zeros(shape, dtype=np.float32), 0.5)


def test_a_low_threshold_still_ends() -> None:
    config = VadConfig(threshold=0.1)
    assert run(Segmenter(config), [0.3] * 20 + [0.04] * 20).utterances == [(0, 27)]


CONFIGS = st.builds(
    VadConfig,
    threshold=st.sampled_from([0.2, 0.5, 0.9]),
    min_speech_ms=st.integers(0, 1_500),
    min_silence_ms=st.integers(100, 2_000),
    speech_pad_ms=st.integers(0, 3_000),
    max_utterance_ms=st.integers(1_000, 4_000),
)
RUNS = st.tuples(st.sampled_from([0.0, 0.15, 0.4, 0.55, 0.8, 1.0]), st.integers(1, 40))
STREAMS = st.lists(RUNS, max_size=25).map(
    lambda runs: [probability for probability, length in runs for _ in range(length)]
)


def is_voiced(probabilities: list[float], threshold: float) -> list[bool]:
    """The hysteresis, said again."""
    voiced: list[bool] = []
    for probability in probabilities:
        goes_on = bool(voiced) and voiced[-1]
        voiced.append(
            probability >= (max(threshold - 0.15, threshold / 2) if goes_on else threshold)
        )
    return voiced


def stretches(voiced: list[bool], min_silence: int) -> list[list[int]]:
    """Voiced chunks, grouped where the silence between is too short to part them."""
    groups: list[list[int]] = []
    for at in np.flatnonzero(voiced).tolist():
        if groups and at - groups[-1][-1] <= min_silence:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


@settings(deadline=None, max_examples=60)
@given(CONFIGS, STREAMS)
def test_any_stream(config: VadConfig, probabilities: list[float]) -> None:
    result = run(Segmenter(config), probabilities)
    # Beginnings and ends take turns, and belong together.
    pauses = SpeechPaused | SpeechResumed
    kinds = [type(event) for _, event in result.events if not isinstance(event, pauses)]
    assert kinds == [SpeechBegan, SpeechEnded] * len(result.utterances)
    for began, (begin, end), speech_end in zip(
        result.began, result.utterances, result.ends_of_speech, strict=True
    ):
        assert begin <= began < speech_end <= end
        assert (end - begin) * 32 <= config.max_utterance_ms
    # No sample twice.
    assert all(before_end <= begin for (_, before_end), (begin, _) in pairwise(result.utterances))


@settings(deadline=None, max_examples=60)
@given(CONFIGS, STREAMS)
def test_no_speech_is_lost_or_made_up(config: VadConfig, probabilities: list[float]) -> None:
    cap = config.max_utterance_ms // 32
    # No more can be asked for than an utterance may hold.
    min_speech = min(max(1, -(-config.min_speech_ms // 32)), cap)
    kept: set[int] = set()
    for begin, end in table_of(config, probabilities):
        kept.update(range(begin, end))
    voiced = is_voiced(probabilities, config.threshold)
    for group in stretches(voiced, -(-config.min_silence_ms // 32)):
        if len(group) < min_speech:
            assert not kept.intersection(group)
        elif group[min_speech - 1] - group[0] < cap * 3 // 4 - 1:
            # (Speech that is too thin to begin within the longest utterance may be dropped.)
            assert kept.issuperset(group)


@settings(deadline=None, max_examples=100)
@given(CONFIGS, STREAMS)
def test_a_pause_holds_the_whole_utterance_if_nobody_goes_on(
    config: VadConfig, probabilities: list[float]
) -> None:
    events = [event for _, event in run(Segmenter(config), probabilities).events]
    cap = config.max_utterance_ms // 32
    has_begun, paused = False, None
    for event in events:
        match event:
            case SpeechBegan():
                assert not has_begun
            case SpeechPaused():
                assert has_begun
                assert paused is None
                paused = event
            case SpeechResumed():
                assert paused is not None
                paused = None
            case SpeechEnded() if paused is not None:
                # One that is cut in a pause may end anywhere.
                if event.samples.size // VAD_CHUNK < cap - config.min_silence_ms // 32 - 1:
                    np.testing.assert_array_equal(event.samples, paused.samples)
                paused = None
        has_begun = isinstance(event, SpeechBegan) or (
            has_begun and not isinstance(event, SpeechEnded)
        )
    assert paused is None


def table_of(config: VadConfig, probabilities: list[float]) -> list[tuple[int, int]]:
    return run(Segmenter(config), probabilities).utterances


@settings(deadline=None, max_examples=20)
@given(CONFIGS, STREAMS)
def test_memory_is_bounded(config: VadConfig, probabilities: list[float]) -> None:
    segmenter = Segmenter(config)
    for probability in probabilities:
        segmenter.push(np.zeros(VAD_CHUNK, dtype=np.float32), probability)
        assert len(segmenter._held) * 32 < config.max_utterance_ms
