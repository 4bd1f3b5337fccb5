"""rtap.transports.stream.audio: bytes to samples, and those that wait."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import AudioError
from rtap.transports.stream.audio import AudioBacklog, decode_frame


def test_floats_are_taken_as_they_are():
    samples = np.array([0.0, 0.5, -1.0], np.float32)
    decoded = decode_frame(samples.astype("<f4").tobytes(), "f32le")
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, samples)


def test_overdriven_floats_are_clipped():
    frame = np.array([1.5, -3.0], "<f4").tobytes()
    np.testing.assert_array_equal(decode_frame(frame, "f32le"), [1.0, -1.0])


def test_integers_are_scaled():
    frame = np.array([16384, -32768], "<i2").tobytes()
    decoded = decode_frame(frame, "s16le")
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, [0.5, -1.0])


@pytest.mark.parametrize("sample_format", ["f32le", "s16le"])
def test_an_empty_frame_has_no_samples(sample_format):
    assert decode_frame(b"", sample_format).size == 0


@pytest.mark.parametrize(
    ("frame", "sample_format", "message"),
    [
        (b"123", "f32le", "has 3 bytes: send whole f32le samples, 4 bytes"),
        (b"123", "s16le", "has 3 bytes: send whole s16le samples, 2 bytes"),
        (np.array([0, np.nan], "<f4").tobytes(), "f32le", "not numbers"),
        (np.array([np.inf, 0], "<f4").tobytes(), "f32le", "not numbers"),
        (np.array([-np.inf], "<f4").tobytes(), "f32le", "not numbers"),
        (np.array([12000.0], "<f4").tobytes(), "f32le", "up to 1.2e.04.*divide them by 32768"),
    ],
)
def test_what_is_no_audio_is_refused(frame, sample_format, message):
    with pytest.raises(AudioError, match=message):
        decode_frame(frame, sample_format)


@settings(max_examples=50)
@given(st.binary(max_size=64))
def test_whatever_comes_is_samples_or_refused(data):
    for sample_format in ("f32le", "s16le"):
        try:
            samples = decode_frame(data, sample_format)
        except AudioError:
            continue
        assert samples.dtype == np.float32
        assert np.all(np.abs(samples) <= 1.0)


def test_backlog_gives_back_what_came_in_order():
    backlog = AudioBacklog(rate=10)
    backlog.add(np.arange(5, dtype=np.float32), arrived_at=100.0)
    backlog.add(np.arange(5, 12, dtype=np.float32), arrived_at=101.0)
    assert backlog.seconds == pytest.approx(1.2)
    first = backlog.take(0.7)
    rest = backlog.take(60.0)
    assert first is not None
    assert rest is not None
    np.testing.assert_array_equal(first[0], np.arange(7))
    # Five samples of the second frame came after it, half a second of sound.
    assert first[1] == pytest.approx(100.5)
    np.testing.assert_array_equal(rest[0], np.arange(7, 12))
    assert rest[1] == 101.0
    assert backlog.seconds == 0.0
    assert backlog.take(1.0) is None


@pytest.mark.parametrize("size", [1, 7, 160, 1_601, 262_144])
def test_backlog_takes_little_more_memory_than_its_samples(size):
    backlog = AudioBacklog(SAMPLE_RATE)
    frame = np.arange(size, dtype=np.float32)
    count = max(2, SAMPLE_RATE // 4 // size)
    tracemalloc.start()
    try:
        for number in range(count):
            backlog.add(frame.copy(), float(number))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * 4 * size * count + 20_000
    taken = backlog.take(count * size / SAMPLE_RATE)
    assert taken is not None
    np.testing.assert_array_equal(taken[0], np.tile(frame, count))
    assert taken[1] == count - 1
    assert backlog.seconds == 0.0


def test_backlog_may_be_added_to_while_it_is_taken_from():
    backlog = AudioBacklog(rate=100)
    backlog.add(np.arange(3, dtype=np.float32), arrived_at=1.0)
    first = backlog.take(0.02)
    backlog.add(np.arange(3, 30, dtype=np.float32), arrived_at=2.0)
    rest = backlog.take(1.0)
    assert first is not None
    assert rest is not None
    np.testing.assert_array_equal(np.concatenate([first[0], rest[0]]), np.arange(30))
    assert first[1] == pytest.approx(0.99)
    assert rest[1] == 2.0
