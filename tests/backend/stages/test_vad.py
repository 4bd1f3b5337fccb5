"""The voice activity detector on sounds made here and on the spoken commands in tests/audio."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.audio.format import VAD_CHUNK
from rtap.errors import ConfigurationError
from rtap.stages.vad import Vad, network_path

Audio = NDArray[np.float32]

COMMANDS = sorted((Path(__file__).parents[2] / "audio").glob("*.wav"))


def read(path: Path) -> Audio:
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    return np.asarray(audio, dtype=np.float32)


def noise(level: float, samples: int = 32_000) -> Audio:
    return np.random.default_rng(1).normal(0.0, level, samples).astype(np.float32)


@pytest.fixture(scope="module")
def loaded() -> Vad:
    return Vad()


@pytest.fixture
def vad(loaded: Vad) -> Vad:
    loaded.reset()
    return loaded


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(32_000, dtype=np.float32),
        noise(0.001),
        noise(0.1),
        noise(0.5),
        (0.5 * np.sin(np.arange(32_000) * 0.17)).astype(np.float32),
    ],
    ids=["silence", "hiss", "noise", "loud noise", "tone"],
)
def test_what_is_not_speech(vad: Vad, audio: Audio) -> None:
    assert vad.probabilities(audio).max() < 0.35


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("level", [1.0, 0.05], ids=["loud", "quiet"])
def test_speech(vad: Vad, path: Path, level: float) -> None:
    speech = read(path)
    lead = np.zeros(16_000, dtype=np.float32)
    probabilities = vad.probabilities(np.concatenate([lead, level * speech, lead]))
    spoken = np.flatnonzero(probabilities >= 0.5) * VAD_CHUNK
    # Half of what was said, or more, and nothing of what comes before it. Pauses are not speech.
    assert spoken.size * VAD_CHUNK > speech.size / 2
    assert spoken[0] > lead.size - 2 * VAD_CHUNK
    assert probabilities[:25].max() < 0.35


def test_any_block_size_gives_the_same(vad: Vad) -> None:
    audio = read(COMMANDS[0]) if COMMANDS else noise(0.1)
    whole = vad.probabilities(audio)
    assert whole.dtype == np.float32
    assert whole.shape == (audio.size // VAD_CHUNK,)
    for size in (1, 320, 512, 5_000):
        vad.reset()
        length = min(audio.size, 60 * size)
        blocks = [vad.probabilities(audio[at : at + size]) for at in range(0, length, size)]
        joined = np.concatenate(blocks)
        np.testing.assert_array_equal(joined, whole[: joined.size])
        assert joined.size == min(length, -(-length // size) * size) // VAD_CHUNK


def test_chunk_by_chunk_gives_the_same(vad: Vad) -> None:
    audio = noise(0.1, 10 * VAD_CHUNK)
    whole = vad.probabilities(audio)
    vad.reset()
    single = [vad.speech_probability(chunk) for chunk in audio.reshape(-1, VAD_CHUNK)]
    np.testing.assert_array_equal(single, whole)


def test_streams_know_nothing_of_each_other(vad: Vad) -> None:
    audio = read(COMMANDS[0]) if COMMANDS else noise(0.1)
    alone = vad.probabilities(audio)
    vad.reset()
    other, chunks = Vad(), audio[: alone.size * VAD_CHUNK].reshape(-1, VAD_CHUNK)
    mixed = []
    for chunk in chunks:
        other.speech_probability(noise(0.3, VAD_CHUNK))
        mixed.append(vad.speech_probability(chunk))
    np.testing.assert_array_equal(mixed, alone)


def test_a_missing_network_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(ConfigurationError, match=r"requirements\.lock"):
        network_path()
    (tmp_path / "silero_vad/data").mkdir(parents=True)
    # Another release of the package, which has other files.
    importlib.invalidate_caches()
    with pytest.raises(ConfigurationError, match=r"requirements\.lock"):
        network_path()


def test_reset_drops_the_remainder(vad: Vad) -> None:
    assert vad.probabilities(noise(0.1, VAD_CHUNK - 1)).size == 0
    vad.reset()
    assert vad.probabilities(noise(0.1, 1)).size == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_samples_leave_no_trace(vad: Vad, value: float) -> None:
    audio = read(COMMANDS[0]) if COMMANDS else noise(0.1)
    healthy = vad.probabilities(audio)
    vad.reset()
    broken = vad.probabilities(np.full(4 * VAD_CHUNK, value, dtype=np.float32))
    assert np.isfinite(broken).all()
    vad.probabilities(np.zeros(30 * VAD_CHUNK, dtype=np.float32))
    recovered = vad.probabilities(audio)
    assert recovered.max() == pytest.approx(healthy.max(), abs=0.05)


@pytest.mark.parametrize("samples", [0, VAD_CHUNK - 1, VAD_CHUNK + 1])
def test_a_chunk_of_another_size(vad: Vad, samples: int) -> None:
    with pytest.raises(ValueError, match="512 samples"):
        vad.speech_probability(np.zeros(samples, dtype=np.float32))


def test_more_than_one_channel(vad: Vad) -> None:
    with pytest.raises(ValueError, match="mono"):
        vad.probabilities(np.zeros((2, VAD_CHUNK), dtype=np.float32))
