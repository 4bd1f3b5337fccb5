"""Wake words: the bundled models on synthesised speech, Porcupine on a module with its documented API."""

from __future__ import annotations

import gc
import io
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from rtap.config import WakeWordConfig
from rtap.errors import ConfigurationError, PipelineError
from rtap.stages.denoise import Denoiser
from rtap.stages.wakeword import WakeWord, make_wake_word
from rtap.stages.wakeword.microwakeword import MicroWakeWord
from rtap.stages.wakeword.porcupine import Porcupine

Audio = NDArray[np.float32]

COMMANDS = sorted((Path(__file__).parents[2] / "audio").glob("*.wav"))
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None,
    reason="espeak-ng, which says the wake words, is not installed",
)


def say(text: str, voice: str = "en-us") -> Audio:
    command = ["espeak-ng", "-v", voice, "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    audio, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    return np.asarray(soxr.resample(audio, rate, 16_000), dtype=np.float32)


def silence(seconds: float) -> Audio:
    return np.zeros(int(16_000 * seconds), dtype=np.float32)


def detections(wake_word: WakeWord, audio: Audio, block: int = 320) -> list[str]:
    heard = (wake_word.detect(audio[at : at + block]) for at in range(0, audio.size, block))
    return [name for name in heard if name is not None]


@pytest.fixture(scope="module")
def loaded() -> MicroWakeWord:
    return MicroWakeWord("hey_mycroft", 0.5)


@pytest.fixture
def mycroft(loaded: MicroWakeWord) -> MicroWakeWord:
    loaded.reset()
    return loaded


class TestMicroWakeWord:
    @needs_espeak
    @pytest.mark.parametrize("voice", ["en-us", "en-gb"])
    @pytest.mark.parametrize("loudness", [1.0, 0.05], ids=["loud", "quiet"])
    def test_is_heard_once(self, mycroft: MicroWakeWord, voice: str, loudness: float) -> None:
        call = np.concatenate([loudness * say("hey mycroft", voice), silence(4)])
        assert detections(mycroft, call) == ["hey_mycroft"]
        # And again later.
        assert detections(mycroft, call) == ["hey_mycroft"]

    @needs_espeak
    @pytest.mark.parametrize("block", [7, 160, 513, 100_000])
    def test_in_blocks_of_any_size(self, mycroft: MicroWakeWord, block: int) -> None:
        audio = np.concatenate([say("hey mycroft"), silence(0.5)])
        assert detections(mycroft, audio, block) == ["hey_mycroft"]

    @needs_espeak
    def test_after_a_reset_at_once_again(self, mycroft: MicroWakeWord) -> None:
        audio = np.concatenate([say("hey mycroft"), silence(0.2)])
        assert detections(mycroft, audio) == ["hey_mycroft"]
        mycroft.reset()
        assert detections(mycroft, audio) == ["hey_mycroft"]

    @needs_espeak
    @pytest.mark.parametrize(
        "text", ["call my brother", "hey, my car is cold", "alexa", "okay nabu"]
    )
    def test_other_words(self, mycroft: MicroWakeWord, text: str) -> None:
        assert detections(mycroft, np.concatenate([say(text), silence(1)])) == []

    @pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
    def test_ordinary_commands(self, mycroft: MicroWakeWord, path: Path) -> None:
        audio, _ = soundfile.read(path, dtype="float32")
        assert detections(mycroft, np.concatenate([audio, silence(1)])) == []

    @pytest.mark.parametrize("level", [0.0, 0.001, 0.1, 0.5])
    def test_ten_seconds_of_noise(self, mycroft: MicroWakeWord, level: float) -> None:
        noise = np.random.default_rng(3).normal(0.0, level, 160_000).astype(np.float32)
        assert detections(mycroft, noise) == []

    @needs_espeak
    def test_a_sensitive_one_hears_what_is_like_it(self) -> None:
        audio = np.concatenate([silence(1), say("hey microphone"), silence(1)])
        assert detections(MicroWakeWord("hey_mycroft", 0.5), audio) == []
        assert detections(MicroWakeWord("hey_mycroft", 1.0), audio) == ["hey_mycroft"]

    @needs_espeak
    def test_through_the_denoiser(self, mycroft: MicroWakeWord) -> None:
        call = np.concatenate([silence(1), 0.5 * say("hey mycroft"), silence(1)])
        noise = np.random.default_rng(5).normal(0.0, 0.005, call.size).astype(np.float32)
        assert detections(mycroft, Denoiser(2, 3).clean(call + noise)) == ["hey_mycroft"]

    def test_sensitivity_moves_the_cutoff(self) -> None:
        cutoffs = [MicroWakeWord("okay_nabu", by / 10).cutoff for by in range(11)]
        assert cutoffs == sorted(cutoffs, reverse=True)
        assert cutoffs[0] == pytest.approx(0.925)
        assert cutoffs[5] == pytest.approx(0.85)  # its author's
        assert cutoffs[10] == pytest.approx(0.425)

    @pytest.mark.parametrize("keyword", ["alexa", "Hey Jarvis", "okay-nabu"])
    def test_keywords(self, keyword: str) -> None:
        name = keyword.lower().replace(" ", "_").replace("-", "_")
        assert MicroWakeWord(keyword, 0.5).keyword == name

    def test_unknown_keyword(self) -> None:
        with pytest.raises(ConfigurationError, match=r"'computer': set.*hey_mycroft, alexa"):
            MicroWakeWord("computer", 0.5)

    @pytest.mark.parametrize("sensitivity", [-0.1, 1.1])
    def test_sensitivity_out_of_range(self, sensitivity: float) -> None:
        with pytest.raises(ConfigurationError, match="set it to 0 to 1"):
            MicroWakeWord("alexa", sensitivity)


class FakePorcupine(ModuleType):
    """pvporcupine 3: hears its keyword in every frame whose samples are all 1000."""

    KEYWORDS = frozenset({"porcupine", "hey google", "computer"})

    class PorcupineError(Exception):
        pass

    class PorcupineActivationError(PorcupineError):
        pass

    def __init__(self) -> None:
        super().__init__("pvporcupine")
        self.created: dict[str, Any] = {}
        self.deleted = 0
        self.frames = 0
        self.fails = False

    def create(self, access_key: str, **arguments: Any) -> FakePorcupine:
        if access_key == "wrong":
            raise self.PorcupineActivationError("the key was refused")
        self.created = arguments
        return self

    frame_length = 512

    def process(self, pcm: list[int]) -> int:
        assert len(pcm) == 512
        assert type(pcm[0]) is int
        if self.fails:
            raise self.PorcupineActivationError("limit reached")
        self.frames += 1
        return 0 if pcm == [1_000] * 512 else -1

    def delete(self) -> None:
        self.deleted += 1


@pytest.fixture
def porcupine(monkeypatch: pytest.MonkeyPatch) -> FakePorcupine:
    fake = FakePorcupine()
    monkeypatch.setitem(sys.modules, "pvporcupine", fake)
    return fake


CALL = np.full(512, 1_000 / 32_768, dtype=np.float32)


class TestPorcupine:
    def test_is_heard_once(self, porcupine: FakePorcupine) -> None:
        wake_word = Porcupine("key", "hey_google", 0.7)
        assert porcupine.created == {"keywords": ["hey google"], "sensitivities": [0.7]}
        call = np.concatenate([silence(0.256), np.tile(CALL, 5), silence(3.008)])
        assert detections(wake_word, np.tile(call, 2), 100) == ["hey_google"] * 2
        assert porcupine.frames == 2 * call.size // 512

    def test_twice_within_the_refractory_time_is_once(self, porcupine: FakePorcupine) -> None:
        wake_word = Porcupine("key", "computer", 0.5)
        again = np.concatenate([CALL, silence(1.6)])
        assert detections(wake_word, np.tile(again, 2)) == ["computer"]
        wake_word.reset()
        assert detections(wake_word, again) == ["computer"]

    def test_reset_drops_the_remainder(self, porcupine: FakePorcupine) -> None:
        wake_word = Porcupine("key", "computer", 0.5)
        wake_word.detect(silence(0.01))
        wake_word.reset()
        assert wake_word.detect(CALL) == "computer"

    def test_a_file_of_ones_own(self, porcupine: FakePorcupine) -> None:
        Porcupine("key", "/models/Hey Car.ppn", 0.5)
        assert porcupine.created["keyword_paths"] == ["/models/Hey Car.ppn"]

    def test_native_memory_is_released(self, porcupine: FakePorcupine) -> None:
        wake_word = Porcupine("key", "computer", 0.5)
        assert porcupine.deleted == 0
        del wake_word
        gc.collect()
        assert porcupine.deleted == 1

    @pytest.mark.parametrize(
        ("key", "keyword", "message"),
        [
            ("", "computer", r"wakeword\.access_key.*console\.picovoice\.ai"),
            ("wrong", "computer", r"the key was refused.*check wakeword\.access_key"),
            ("key", "hey_mycroft", r"'hey_mycroft'.*computer, hey google, porcupine"),
        ],
    )
    def test_what_it_refuses(
        self, porcupine: FakePorcupine, key: str, keyword: str, message: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=message):
            Porcupine(key, keyword, 0.5)

    def test_failing_while_it_runs(self, porcupine: FakePorcupine) -> None:
        wake_word = Porcupine("key", "computer", 0.5)
        porcupine.fails = True
        with pytest.raises(PipelineError, match="limit reached"):
            wake_word.detect(CALL)

    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pvporcupine", None)
        with pytest.raises(ConfigurationError, match="pip install pvporcupine"):
            Porcupine("key", "computer", 0.5)


def test_make_wake_word(porcupine: FakePorcupine) -> None:
    assert make_wake_word(WakeWordConfig(enabled=False)) is None
    made = make_wake_word(WakeWordConfig(keyword="alexa"))
    assert isinstance(made, MicroWakeWord)
    assert made.keyword == "alexa"
    config = WakeWordConfig(engine="porcupine", keyword="computer", access_key="key")
    assert isinstance(make_wake_word(config), Porcupine)
