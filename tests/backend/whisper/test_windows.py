"""Cutting long audio into windows: tables for each rule, properties for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK
from rtap.errors import ConfigurationError
from rtap.whisper.windows import Window, WindowCutter, WindowOptions

Audio = NDArray[np.float32]

PAD = 3_200
MAXIMUM = 30 * SAMPLE_RATE


def ramp(samples: int) -> Audio:
    """Audio in which each sample is its own index: exact in float32 up to 2^24 samples (17 minutes)."""
    return np.arange(samples, dtype=np.float32)


def cut(
    probabilities: Sequence[float],
    *,
    extra: int = 0,
    block: int | None = None,
    options: WindowOptions | None = None,
) -> list[Window]:
    """Push audio of so many chunks and ``extra`` samples in blocks of a size, then flush."""
    audio = ramp(len(probabilities) * VAD_CHUNK + extra)
    cutter = WindowCutter(options)
    block = block or max(audio.size, 1)
    windows: list[Window] = []
    for begin in range(0, audio.size, block):
        part = audio[begin : begin + block]
        judged, known = begin // VAD_CHUNK, (begin + part.size) // VAD_CHUNK
        windows += cutter.push(part.copy(), probabilities[judged:known])
    return windows + cutter.flush()


def chunks(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / VAD_CHUNK)


def said(*stretches: tuple[float, float]) -> list[float]:
    """Probabilities of stretches of (probability, seconds)."""
    return [p for p, seconds in stretches for _ in range(chunks(seconds))]


def spans(windows: Sequence[Window]) -> list[tuple[float, float]]:
    return [(round(window.start, 2), round(window.end, 2)) for window in windows]


TABLE = {
    "nothing": ([], []),
    "silence": ([(0.0, 10.0)], []),
    "one sentence": ([(0.0, 5.0), (0.9, 2.0), (0.0, 5.0)], [(4.79, 7.18)]),
    "from the first sample": ([(0.9, 2.0), (0.0, 5.0)], [(0.0, 2.18)]),
    "to the last sample": ([(0.0, 5.0), (0.9, 2.0)], [(4.79, 6.98)]),
    "a short word": ([(0.0, 1.0), (0.9, 0.128), (0.0, 1.0)], [(0.79, 1.32)]),
    "a click": ([(0.0, 1.0), (0.9, 0.064), (0.0, 1.0)], []),
    "a click beside a sentence": (
        [(0.0, 1.0), (0.9, 0.064), (0.0, 1.0), (0.9, 1.0), (0.0, 3.0)],
        [(1.85, 3.25)],
    ),
    "never certain enough": ([(0.49, 3.0)], []),
    "doubtful once begun": ([(0.0, 1.0), (0.5, 0.1), (0.36, 3.0), (0.0, 3.0)], [(0.79, 4.30)]),
    "a soft beginning": (
        [(0.0, 1.0), (0.15, 0.5), (0.9, 1.0), (0.0, 3.0)],
        [(0.79, 2.69)],
    ),
    "a soft beginning with a plosive": (
        [(0.0, 1.0), (0.15, 0.2), (0.0, 0.096), (0.15, 0.2), (0.9, 1.0), (0.0, 3.0)],
        [(0.79, 2.69)],
    ),
    "a soft sound that was over": (
        [(0.0, 1.0), (0.15, 0.2), (0.0, 0.128), (0.9, 1.0), (0.0, 3.0)],
        [(1.12, 2.52)],
    ),
    "too soft": ([(0.0, 1.0), (0.09, 0.5), (0.9, 1.0), (0.0, 3.0)], [(1.3, 2.7)]),
    "a soft sound without an end": ([(0.15, 5.0), (0.9, 1.0), (0.0, 3.0)], [(3.79, 6.19)]),
    "a soft beginning does not make a click a word": (
        [(0.0, 1.0), (0.3, 0.5), (0.9, 0.064), (0.0, 1.0)],
        [],
    ),
    "a short word in two halves": (
        [(0.0, 1.0), (0.9, 0.064), (0.1, 0.064), (0.9, 0.064), (0.0, 1.0)],
        [(0.79, 1.38)],
    ),
    "a pause for breath": (
        [(0.9, 1.0), (0.0, 1.5), (0.9, 1.0), (0.0, 3.0)],
        [(0.0, 3.70)],
    ),
    "a pause for thought": (
        [(0.9, 1.0), (0.0, 2.5), (0.9, 1.0), (0.0, 3.0)],
        [(0.0, 1.19), (3.29, 4.69)],
    ),
    "too long with a pause": (
        [(0.9, 20.0), (0.0, 1.0), (0.9, 20.0), (0.0, 3.0)],
        [(0.0, 20.2), (20.79, 41.18)],
    ),
    "too long with a pause shorter than the pads": (
        [(0.9, 20.0), (0.0, 0.2), (0.9, 20.0), (0.0, 3.0)],
        [(0.0, 20.1), (20.1, 40.39)],
    ),
    "too long with a dip": (
        [(0.9, 28.0), (0.6, 0.032), (0.9, 5.0), (0.0, 3.0)],
        [(0.0, 28.0), (28.0, 33.22)],
    ),
    "too long without a dip": (
        [(0.9, 65.0), (0.0, 3.0)],
        [(0.0, 29.98), (29.98, 59.97), (59.97, 65.18)],
    ),
    "the last word after a forced cut": (
        [(0.9, 30.0), (0.9, 0.032), (0.0, 3.0)],
        [(0.0, 29.98), (29.98, 30.24)],
    ),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("block", [None, 320, 100_000], ids=["whole", "20 ms", "6 s"])
def test_table(name: str, block: int | None) -> None:
    stretches, expected = TABLE[name]
    found = spans(cut(said(*stretches), block=block))
    assert len(found) == len(expected)
    # Stretches are rounded to whole chunks of 32 ms.
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=0.0, atol=0.03)


def test_times_of_speech_leave_the_pad_out() -> None:
    (window,) = cut([0.0] * 100 + [0.9] * 50 + [0.0] * 100)
    assert window.speech_start * SAMPLE_RATE == 100 * VAD_CHUNK
    assert window.speech_end * SAMPLE_RATE == 150 * VAD_CHUNK
    assert window.offset == 100 * VAD_CHUNK - PAD
    assert window.end * SAMPLE_RATE == 150 * VAD_CHUNK + PAD


def test_how_certain_speech_was() -> None:
    # Faint speech before it and silence do not count; regions that share a window do together.
    first, second = cut(
        [0.0] * 10 + [0.2] * 3 + [0.5] * 10 + [0.0] * 10 + [0.8] * 5 + [0.0] * 100 + [0.9] * 10
    )
    assert first.certainty == pytest.approx((10 * 0.5 + 5 * 0.8) / 15)
    assert second.certainty == pytest.approx(0.9)
    [plain] = WindowCutter().push(ramp(MAXIMUM), None)
    assert plain.certainty == 1.0


def test_samples_after_the_last_chunk_belong_to_speech() -> None:
    (window,) = cut([0.9] * 50, extra=511)
    assert window.audio.size == 50 * VAD_CHUNK + 511
    assert cut([0.0] * 50, extra=511) == []


@pytest.mark.parametrize("samples", [0, 1, 511])
def test_less_than_a_chunk(samples: int) -> None:
    assert cut([], extra=samples) == []


def test_not_a_number_is_silence() -> None:
    assert cut([float("nan")] * 100) == []
    assert len(cut([0.9] * 50 + [float("nan")] * 100 + [0.9] * 50)) == 2


def test_windows_come_as_soon_as_the_pause_is_long_enough() -> None:
    cutter = WindowCutter()
    speech, gap = chunks(1.0), chunks(2.0)
    assert cutter.push(ramp(speech * VAD_CHUNK), [0.9] * speech) == []
    assert cutter.push(ramp(gap * VAD_CHUNK), [0.0] * gap) == []
    assert len(cutter.push(ramp(2 * VAD_CHUNK), [0.0] * 2)) == 1
    assert cutter.flush() == []


def test_flush_twice() -> None:
    cutter = WindowCutter()
    cutter.push(ramp(VAD_CHUNK * 50), [0.9] * 50)
    assert len(cutter.flush()) == 1
    assert cutter.flush() == []


@pytest.mark.parametrize("pattern", [[0.0], [0.9] + [0.0] * 4, [0.9, 0.9, 0.9] + [0.0] * 7])
def test_two_hours_of_silence_or_clicks_hold_only_what_may_begin_speech(
    pattern: list[float],
) -> None:
    cutter = WindowCutter()
    block = np.zeros(VAD_CHUNK * 60, dtype=np.float32)
    probabilities = (pattern * 60)[:60]
    held = 0
    for _ in range(2 * 3600 * SAMPLE_RATE // block.size):
        assert cutter.push(block, probabilities) == []
        held = max(held, cutter._tape.end - cutter._tape._begin)
    assert held <= SAMPLE_RATE + PAD + 33 * VAD_CHUNK
    assert cutter.flush() == []


def test_clicks_after_speech_do_not_keep_its_window_open() -> None:
    clicks = ([0.9] + [0.0] * 4) * 100
    (window,) = cut([0.9] * 49 + clicks)
    assert window.end * SAMPLE_RATE == 50 * VAD_CHUNK + PAD


@pytest.mark.parametrize("samples", [0, 1, 511, MAXIMUM - 1, MAXIMUM, MAXIMUM + 1, 3 * MAXIMUM + 5])
@pytest.mark.parametrize("block", [320, 1 << 20])
def test_without_probabilities(samples: int, block: int) -> None:
    audio = ramp(samples)
    cutter = WindowCutter()
    windows = []
    for begin in range(0, samples, block):
        windows += cutter.push(audio[begin : begin + block], None)
    windows += cutter.flush()
    assert len(windows) == -(-samples // MAXIMUM)
    assert all(window.audio.size == MAXIMUM for window in windows[:-1])
    whole = np.concatenate([ramp(0), *(window.audio for window in windows)])
    np.testing.assert_array_equal(whole, audio)
    assert all(window.offset == index * MAXIMUM for index, window in enumerate(windows))


def test_the_caller_may_use_its_buffer_again() -> None:
    cutter = WindowCutter()
    buffer = np.ones(VAD_CHUNK * 20, dtype=np.float32)
    cutter.push(buffer, [0.9] * 20)
    buffer[:] = 0.0
    (window,) = cutter.flush()
    assert window.audio.min() == 1.0


def test_another_number_of_probabilities() -> None:
    with pytest.raises(ValueError, match="3 probabilities for 2 chunks"):
        WindowCutter().push(ramp(2 * VAD_CHUNK), [0.0] * 3)


def test_probabilities_only_sometimes() -> None:
    cutter = WindowCutter()
    cutter.push(ramp(2 * VAD_CHUNK), None)
    with pytest.raises(ValueError, match="or with none"):
        cutter.push(ramp(2 * VAD_CHUNK), [0.0] * 2)


def test_more_than_one_channel() -> None:
    with pytest.raises(ValueError, match="mono"):
        WindowCutter().push(ramp(1024).reshape(2, 512), [0.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": 0.3},
        {"off": 0.0},
        {"on": 1.5},
        {"pad": -0.1},
        {"pad": 1.5},
        {"merge_gap": 0.05, "pad": 0.0},
        {"maximum": 31.0},
        {"maximum": 0.0},
        {"search": 20.0},
        {"search": 0.05},
    ],
)
def test_options_that_contradict_each_other(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"set|negative"):
        WindowOptions(**wrong)


LEVELS = st.sampled_from([0.0, 0.2, 0.34, 0.36, 0.49, 0.5, 0.7, 1.0])
STRETCHES = st.lists(st.tuples(LEVELS, st.integers(1, 120)), max_size=12)
OPTIONS = st.sampled_from(
    [
        WindowOptions(),
        WindowOptions(pad=0.0, merge_gap=0.1),
        WindowOptions(maximum=2.0, search=1.0),
        WindowOptions(maximum=1.0, search=0.5, pad=0.1, merge_gap=0.2),
        WindowOptions(minimum_speech=0.0, minimum_silence=0.0, maximum=5.0, search=0.7),
    ]
)


@settings(max_examples=75, deadline=None)
@given(STRETCHES, st.integers(0, VAD_CHUNK - 1), st.sampled_from([None, 320, 7_000]), OPTIONS)
def test_properties(
    stretches: list[tuple[float, int]], extra: int, block: int | None, options: WindowOptions
) -> None:
    probabilities = [p for p, count in stretches for _ in range(count)]
    total = len(probabilities) * VAD_CHUNK + extra
    windows = cut(probabilities, extra=extra, block=block, options=options)
    for before, after in pairwise(windows):
        assert before.offset + before.audio.size <= after.offset
        assert before.speech_end <= after.speech_start
    covered = np.zeros(total, dtype=bool)
    for window in windows:
        assert 0 < window.audio.size <= options.maximum * SAMPLE_RATE
        assert window.start <= window.speech_start < window.speech_end <= window.end
        # Each sample is its own index, so this is content, order and time at once.
        expected = np.arange(window.offset, window.offset + window.audio.size)
        np.testing.assert_array_equal(window.audio, expected)
        covered[window.offset : window.offset + window.audio.size] = True
    for begin, end in certain_speech(probabilities, options.minimum_speech):
        assert covered[begin:end].all()


def certain_speech(probabilities: Sequence[float], minimum: float) -> list[tuple[int, int]]:
    """Runs of chunks of 0.5 or more that last for the minimum, in samples."""
    runs = []
    start = None
    for index, probability in enumerate([*probabilities, 0.0]):
        if probability >= 0.5 and start is None:
            start = index
        elif probability < 0.5 and start is not None:
            if (index - start) * VAD_CHUNK >= minimum * SAMPLE_RATE:
                runs.append((start * VAD_CHUNK, index * VAD_CHUNK))
            start = None
    return runs


@settings(max_examples=30, deadline=None)
@given(STRETCHES, st.integers(100, 40_000))
def test_the_block_size_does_not_matter(stretches: list[tuple[float, int]], block: int) -> None:
    probabilities = [p for p, count in stretches for _ in range(count)]
    whole = [(w.offset, w.audio.size, w.speech_end) for w in cut(probabilities)]
    blocks = [(w.offset, w.audio.size, w.speech_end) for w in cut(probabilities, block=block)]
    assert whole == blocks
