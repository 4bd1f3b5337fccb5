"""Noise at the level that was asked for, and the same again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.noise import NoiseMixer, Samples, in_noise, speech_power


def tone(seconds: float, amplitude: float = 0.1) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave: Samples = (amplitude * np.sqrt(2) * np.sin(2 * np.pi * 300 * times)).astype(np.float32)
    return wave


def hiss(seconds: float, seed: int) -> Samples:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.01, round(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.fixture
def mixer() -> NoiseMixer:
    return NoiseMixer([hiss(3, seed) for seed in range(5)], "road")


def power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


class TestSpeechPower:
    def test_of_a_tone(self) -> None:
        assert speech_power(tone(1)) == pytest.approx(0.01, rel=0.01)

    def test_pauses_do_not_count(self) -> None:
        pause = hiss(5, 0) * np.float32(0.1)
        assert speech_power(np.concatenate([pause, tone(1), pause])) == pytest.approx(
            0.01, rel=0.03
        )

    def test_quiet_speech_does(self) -> None:
        """10 dB quieter is speech, 20 dB quieter is a pause."""
        quieter = speech_power(np.concatenate([tone(1), tone(1, 0.1 / 10**0.5)]))
        assert quieter == pytest.approx(0.0055, rel=0.02)
        assert speech_power(np.concatenate([tone(1), tone(1, 0.01)])) == pytest.approx(
            0.01, rel=0.02
        )

    def test_of_what_is_shorter_than_a_frame(self) -> None:
        assert speech_power(np.full(10, 0.5, np.float32)) == pytest.approx(0.25)
        assert speech_power(np.empty(0, np.float32)) == 0.0


class TestMixer:
    @pytest.mark.parametrize("snr", [15.0, 0.0, -5.0])
    def test_level(self, snr: float, mixer: NoiseMixer) -> None:
        clip = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), tone(1)])
        noise = mixer.mix(clip, "car/a.wav", snr) - clip
        assert 10 * np.log10(0.01 / power(noise)) == pytest.approx(snr, abs=0.1)

    def test_the_same_clip_gets_the_same_noise_at_every_level(self, mixer: NoiseMixer) -> None:
        clip = tone(1)
        loud, quiet = (mixer.mix(clip, "a", snr) - clip for snr in (10, 20))
        np.testing.assert_allclose(loud, quiet * 10**0.5, atol=1e-6)
        np.testing.assert_array_equal(mixer.mix(clip, "a", 10), mixer.mix(clip, "a", 10))

    def test_other_clips_and_other_seeds_get_others(self, mixer: NoiseMixer) -> None:
        clip = tone(1)
        mixed = [mixer.mix(clip, name, 10) for name in "abcdef"]
        mixed.append(NoiseMixer(mixer.noises, "road", seed=1).mix(clip, "a", 10))
        assert len({one.tobytes() for one in mixed}) == len(mixed)

    def test_noise_goes_round_until_the_clip_ends(self) -> None:
        mixer = NoiseMixer([hiss(0.5, 1)], "short")
        clip = tone(2)
        noise = mixer.mix(clip, "a", 10) - clip
        np.testing.assert_allclose(
            noise[: SAMPLE_RATE // 2], noise[SAMPLE_RATE // 2 : SAMPLE_RATE], atol=1e-6
        )

    def test_pauses_of_the_noise(self) -> None:
        """A horn that sounds once in a minute is heard all the same."""
        horn = np.concatenate([np.zeros(60 * SAMPLE_RATE, np.float32), hiss(0.2, 0)])
        clip = tone(1)
        for name in "abc":
            assert power(NoiseMixer([horn], "horn").mix(clip, name, 10) - clip) == pytest.approx(
                0.001, rel=0.01
            )

    def test_nothing_is_clipped(self, mixer: NoiseMixer) -> None:
        mixed = mixer.mix(tone(1, 0.7), "a", -10)
        assert np.abs(mixed).max() == pytest.approx(1.0)

    def test_silence_stays_silence(self, mixer: NoiseMixer) -> None:
        assert not mixer.mix(np.zeros(SAMPLE_RATE, np.float32), "a", 0).any()


class TestFolder:
    def test_whole(self, tmp_path: Path) -> None:
        for name in ("b", "a"):
            soundfile.write(
                tmp_path / f"{name}.wav", hiss(0.1, ord(name)), SAMPLE_RATE, subtype="FLOAT"
            )
        (tmp_path / "SOURCE.md").touch()
        mixer = NoiseMixer.open(tmp_path, 3)
        assert (mixer.name, mixer.seed) == (tmp_path.name, 3)
        np.testing.assert_allclose(mixer.noises[0], hiss(0.1, ord("a")))

    @pytest.mark.parametrize(
        ("name", "message"),
        [("none", "is no folder"), ("empty", "has no audio"), ("quiet", "is silent")],
    )
    def test_what_is_no_noise(self, name: str, message: str, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "quiet").mkdir()
        soundfile.write(tmp_path / "quiet/a.wav", np.zeros(100), SAMPLE_RATE)
        with pytest.raises(ConfigurationError, match=message):
            NoiseMixer.open(tmp_path / name, 0)


def test_levels() -> None:
    said = Utterance(Path("a.wav"), "left", "car")
    phrases = Utterance(Path("b.wav"), "", "car", must_contain=("left",))
    nobody = Utterance(Path("c.wav"), "", "car", noise="music")
    found = in_noise([said, phrases, nobody], [None, 10.0])
    assert [(one.audio.stem, one.noise, one.snr) for one in found] == [
        ("a", "clean", None),
        ("b", "clean", None),
        ("c", "music", None),
        ("a", "10 dB", 10.0),
        ("b", "10 dB", 10.0),
    ]
