"""The log-mel spectrogram against transformers', and what it must be where no reference is at hand."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.errors import ModelError
from rtap.whisper.features import HOP, MAX_FRAMES, MAX_SAMPLES, LogMel, mel_filters

Audio = NDArray[np.float32]

TOLERANCE = 1e-4
"""Reached: 8e-5 on pure tones, where it is the reference's own float32 error; 3e-6 on noise."""
FORMULA_TOLERANCE = 2e-5
"""In float64 the formula leaves only our own float32 error."""
SILENCE = (np.log10(1e-10) + 4.0) / 4.0


def noise(samples: int, level: float = 0.1) -> Audio:
    return np.random.default_rng(samples).normal(0.0, level, samples).astype(np.float32)


def tone(hertz: float, samples: int, level: float = 0.5) -> Audio:
    phase = 2.0 * np.pi * hertz * np.arange(samples) / 16_000
    return (level * np.sin(phase)).astype(np.float32)


def sweep(samples: int) -> Audio:
    seconds = np.arange(samples) / 16_000
    return np.sin(2.0 * np.pi * (100.0 * seconds + 700.0 * seconds**2)).astype(np.float32)


SOUNDS: dict[str, Audio] = {
    "noise": noise(48_000),
    "tone of 440 Hz": tone(440.0, 50_000),
    "tone of 7 kHz": tone(7_000.0, 40_000, 0.9),
    "sweep": sweep(80_000),
    "square wave at full scale": np.sign(tone(200.0, 48_000)),
    "clicks": (np.arange(48_000) % 4_000 == 0).astype(np.float32),
    "constant": np.full(33_333, 0.7, dtype=np.float32),
    "noise of 1e-6": noise(30_000, 1e-6),
    "silence": np.zeros(16_000, dtype=np.float32),
    "one sample": np.ones(1, dtype=np.float32),
    "half a window": noise(199),
    "half a window and one": noise(201),
    "no multiple of the hop": noise(12_345),
    "30 s": noise(MAX_SAMPLES, 0.3),
    "30 s less one sample": noise(MAX_SAMPLES - 1, 0.3),
    "30 s less what the last frame sees": noise(MAX_SAMPLES - 200, 0.3),
    "31 s": noise(MAX_SAMPLES + 16_000, 0.3),
}


@cache
def reference(n_mels: int) -> Any:
    transformers = pytest.importorskip(
        "transformers", reason="the reference is in the group `convert`: run `make setup`"
    )
    return transformers.WhisperFeatureExtractor(feature_size=n_mels)


def expected(audio: Audio, n_mels: int) -> Audio:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference's, which we can't mend
        batch = reference(n_mels)(audio, sampling_rate=16_000, return_tensors="np")
    features: Audio = batch.input_features[0]
    return features


def power_by_the_formula(sound: str) -> NDArray[np.float64]:
    """Power spectrum, word by word: everything at once, padded to 30 s, in float64."""
    audio = SOUNDS[sound]
    padded = np.zeros(MAX_SAMPLES)
    padded[: min(audio.size, MAX_SAMPLES)] = audio[:MAX_SAMPLES]
    reflected = np.pad(padded, 200, mode="reflect")
    frames = np.stack([reflected[at * HOP : at * HOP + 400] for at in range(MAX_FRAMES)])
    power = np.zeros((201, MAX_FRAMES))
    # Silence has no power: the frames of the padding, most of them, need no transform.
    heard = frames.any(axis=1)
    power[:, heard] = np.abs(np.fft.rfft(frames[heard] * np.hanning(401)[:400]).T) ** 2
    return power


@pytest.mark.parametrize("sound", SOUNDS)
def test_equals_the_formula(sound: str) -> None:
    power = power_by_the_formula(sound)
    # The number of bands has nothing to do with what happens at 30 s.
    for n_mels in (80,) if SOUNDS[sound].size > 400_000 else (80, 128):
        log_power = np.log10(np.maximum(mel_filters(n_mels) @ power, 1e-10))
        wanted = (np.maximum(log_power, log_power.max() - 8.0) + 4.0) / 4.0
        features = LogMel(n_mels)(SOUNDS[sound])
        np.testing.assert_allclose(features, wanted, rtol=0.0, atol=FORMULA_TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("sound", SOUNDS)
def test_equals_the_reference(sound: str, n_mels: int) -> None:
    audio = SOUNDS[sound]
    wanted = expected(audio, n_mels)
    features = LogMel(n_mels)(audio)
    assert features.dtype == np.float32
    assert features.shape == wanted.shape
    np.testing.assert_allclose(features, wanted, rtol=0.0, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("n_mels", [80, 128])
def test_filters_equal_the_reference(n_mels: int) -> None:
    np.testing.assert_allclose(
        mel_filters(n_mels), reference(n_mels).mel_filters.T, rtol=0.0, atol=1e-12
    )


@pytest.mark.parametrize("frames", [1, 50, 101, 150, 300, 1_000])
def test_fewer_frames_are_the_beginning_of_all_frames(frames: int) -> None:
    # The loudest sound comes late: it must set the scale of frames that are cut before it.
    audio = np.concatenate([noise(16_000, 0.001), noise(16_000, 0.5)])
    log_mel = LogMel(80)
    features = log_mel(audio, frames)
    assert features.shape == (80, frames)
    assert features.flags.c_contiguous
    np.testing.assert_array_equal(features, log_mel(audio)[:, :frames])


def test_empty_audio_is_silence() -> None:
    features = LogMel(80)(np.empty(0, dtype=np.float32), 200)
    np.testing.assert_allclose(features, SILENCE, atol=1e-6)


def test_frames_after_the_audio_are_constant() -> None:
    samples = 16_000
    features = LogMel(80)(noise(samples), 400)
    after = features[:, (samples + 200 + HOP - 1) // HOP :]
    assert after.shape[1] > 290
    assert np.ptp(after) == 0.0
    assert features.max() - after[0, 0] == pytest.approx(2.0, abs=1e-6)


def test_frequencies_land_in_their_band() -> None:
    centre = mel_filters(80).argmax(axis=1)[40] * 40.0
    features = LogMel(80)(tone(centre, 16_000), 100)
    assert features[:, 50].argmax() == 40


def test_does_not_change_its_input() -> None:
    audio = noise(20_000)
    before = audio.copy()
    LogMel(80)(audio, 100)
    np.testing.assert_array_equal(audio, before)


@pytest.mark.parametrize("frames", [0, -1, MAX_FRAMES + 1])
def test_frames_out_of_range(frames: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 3000"):
        LogMel(80)(noise(1_000), frames)


def test_more_than_one_channel() -> None:
    with pytest.raises(ValueError, match="mono"):
        LogMel(80)(noise(1_000).reshape(2, 500), 10)


@pytest.mark.parametrize("n_mels", [40, 80, 128])
def test_from_preprocessor(n_mels: int) -> None:
    config = {"feature_size": n_mels, "sampling_rate": 16_000, "n_fft": 400, "hop_length": 160}
    assert LogMel.from_preprocessor(config).n_mels == n_mels


def test_from_preprocessor_of_an_early_checkpoint() -> None:
    assert LogMel.from_preprocessor({}).n_mels == 80


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sampling_rate", 22_050),
        ("n_fft", 512),
        ("hop_length", 128),
        ("hop_length", None),
        ("feature_size", 0),
        ("feature_size", "80"),
        ("feature_size", True),
    ],
)
def test_from_preprocessor_of_another_kind_of_model(key: str, value: object) -> None:
    with pytest.raises(ModelError, match=rf"{key}.*convert"):
        LogMel.from_preprocessor({"feature_size": 80, key: value})
