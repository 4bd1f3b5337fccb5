"""The denoiser: never another length, never later, and no harm to speech and silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from rtap.stages.denoise import Denoiser
from rtap.stages.vad import Vad

Audio = NDArray[np.float32]

COMMANDS = sorted((Path(__file__).parents[2] / "audio").glob("*.wav"))
SETTINGS = [(2, 3), (4, 0), (0, 3), (1, 31)]


def noise(level: float, samples: int = 48_000) -> Audio:
    return np.random.default_rng(1).normal(0.0, level, samples).astype(np.float32)


def speech(path: Path) -> Audio:
    audio, _ = soundfile.read(path, dtype="float32")
    return np.asarray(audio, dtype=np.float32)


def whole(denoiser: Denoiser, audio: Audio, block: int = 320) -> Audio:
    blocks = [denoiser.clean(audio[at : at + block]) for at in range(0, audio.size, block)]
    return np.concatenate([*blocks, denoiser.flush()])


def level(audio: Audio) -> float:
    """In dBFS."""
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-20))


@pytest.fixture(scope="module", params=[(0, 0), *SETTINGS], ids=str)
def denoiser(request: pytest.FixtureRequest) -> Denoiser:
    return Denoiser(*request.param)


@settings(deadline=None, max_examples=20)
@given(sizes=st.lists(st.integers(0, 700), max_size=12))
def test_a_stream_keeps_its_length(denoiser: Denoiser, sizes: list[int]) -> None:
    audio = noise(0.1, sum(sizes))
    given_, returned = 0, 0
    for size in sizes:
        returned += denoiser.clean(audio[given_ : given_ + size]).size
        given_ += size
        assert 0 <= given_ - returned < 256  # 16 ms
    assert returned + denoiser.flush().size == given_


def test_any_block_size_gives_the_same(denoiser: Denoiser) -> None:
    audio = speech(COMMANDS[0])
    expected = whole(denoiser, audio)
    assert expected.dtype == np.float32
    for block in (1_000, 512, 97):
        np.testing.assert_array_equal(whole(denoiser, audio, block), expected)


def test_reset_forgets_the_stream(denoiser: Denoiser) -> None:
    audio = speech(COMMANDS[0])
    expected = whole(denoiser, audio)
    denoiser.clean(noise(0.3, 16_100))
    denoiser.reset()
    np.testing.assert_array_equal(whole(denoiser, audio), expected)


def test_off_gives_back_what_it_gets() -> None:
    denoiser = Denoiser(0, 0)
    audio = np.array([np.nan, 7.0, 0.1], dtype=np.float32)
    assert denoiser.clean(audio) is audio
    assert denoiser.flush().shape == (0,)


@pytest.mark.parametrize("suppression", [0, 2], ids=["off", "on"])
def test_the_library_is_loaded_only_where_it_is_used(suppression: int) -> None:
    program = (
        f"import sys; from rtap.stages.denoise import Denoiser; Denoiser({suppression}, 0); "
        f"print('webrtc_noise_gain' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(bool(suppression))


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_silence_stays_silent(setting: tuple[int, int]) -> None:
    silence = np.zeros(32_000, dtype=np.float32)
    cleaned = whole(Denoiser(*setting), silence)
    assert np.abs(cleaned).max() < 0.0003
    assert not cleaned[160:].any()


@pytest.mark.parametrize("loudness", [0.001, 0.05])
def test_noise_gets_less_although_there_is_gain(loudness: float) -> None:
    cleaned = whole(Denoiser(2, 3), noise(loudness))
    assert level(cleaned[16_000:]) < level(noise(loudness)) - 4
    assert Vad().probabilities(cleaned).max() < 0.35


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("suppression", [1, 2, 4])
def test_speech_passes_from_its_first_sample_on(path: Path, suppression: int) -> None:
    audio = speech(path)
    cleaned = whole(Denoiser(suppression, 0), audio)
    for part in (slice(0, 3_200), slice(0, 8_000), slice(None)):
        assert level(cleaned[part]) == pytest.approx(level(audio[part]), abs=0.5)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_samples_keep_their_place(setting: tuple[int, int]) -> None:
    audio = speech(COMMANDS[0])
    cleaned = whole(Denoiser(*setting), audio)
    shifts = range(-100, 101)
    middle = slice(8_000, audio.size - 8_000)
    likeness = [float(np.dot(np.roll(cleaned, shift)[middle], audio[middle])) for shift in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= 2


@pytest.mark.parametrize("loudness", [1.0, 0.05], ids=["loud", "quiet"])
def test_speech_is_still_speech_and_never_clipped(loudness: float) -> None:
    audio = loudness * speech(COMMANDS[0])
    cleaned = whole(Denoiser(2, 3), audio)
    assert np.abs(cleaned).max() < 0.99
    assert level(cleaned) > level(audio)
    before, after = ((Vad().probabilities(one) >= 0.5).sum() for one in (audio, cleaned))
    assert after >= before - 3


def test_broken_samples_count_as_silence() -> None:
    denoiser = Denoiser(2, 3)
    assert np.isfinite(denoiser.clean(np.full(1_600, np.nan, dtype=np.float32))).all()


@pytest.mark.parametrize(
    ("setting", "name"), [((5, 0), "noise_suppression"), ((0, 32), "auto_gain"), ((-1, 0), "noise")]
)
def test_a_setting_out_of_range(setting: tuple[int, int], name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.*set it to 0"):
        Denoiser(*setting)
