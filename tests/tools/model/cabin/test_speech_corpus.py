import json
import random
import shutil
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.cabin import speech_corpus, synthesis, voices
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.sentences import Split, split_of
from tools.model.cabin.speech_corpus import Spoken
from tools.model.cabin.synthesis import Request
from tools.model.cabin.voices import Role, Voice

TONE = Voice("tone", "low", Role.SEEN, 1.0)


def plan(count: int) -> list[Spoken]:
    return [Spoken(Request(f"um, word {n}", TONE), f"word {n}") for n in range(count)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Speech at once and in this process; each utterance is as long as its number says."""
    made: list[int] = []

    class Here:
        def __init__(self, workers: int) -> None:
            self.map = map

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def speak(requests: list[Request]) -> list[np.ndarray]:
        made.append(len(requests))
        return [np.full(100 + int(request.text.split()[-1]), 7, np.int16) for request in requests]

    monkeypatch.setattr(speech_corpus, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(speech_corpus, "speak", speak)
    return made


def test_what_was_made_is_loaded(tmp_path: Path, quick: list[int]) -> None:
    lines: list[str] = []
    speech_corpus.make(plan(150), tmp_path, 1, lines.append)
    loaded = speech_corpus.load(tmp_path)
    assert [one.text for one in loaded] == [f"word {n}" for n in range(150)]
    assert [one.audio.size for one in loaded] == [100 + n for n in range(150)]
    assert loaded[3].spoken == "um, word 3"
    assert loaded[3].speaker == "tone-low"
    assert lines == ["1 of 2 files of speech", "2 of 2 files of speech"]
    assert speech_corpus.hours(loaded) == sum(100 + n for n in range(150)) / SAMPLE_RATE / 3600


def test_goes_on_where_it_was_interrupted(tmp_path: Path, quick: list[int]) -> None:
    speech_corpus.make(plan(150), tmp_path, 1, lambda _: None)
    (tmp_path / "0001.json").unlink()
    speech_corpus.make(plan(150), tmp_path, 1, lambda _: None)
    assert quick == [100, 50, 50]


def test_another_plan_is_not_mixed_in(tmp_path: Path, quick: list[int]) -> None:
    speech_corpus.make(plan(20), tmp_path, 1, lambda _: None)
    with pytest.raises(ConfigurationError, match="another plan's speech: remove it"):
        speech_corpus.make(plan(20)[::-1], tmp_path, 1, lambda _: None)


def test_nothing_to_load_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="train_cabin_model speech"):
        speech_corpus.load(tmp_path)


@pytest.mark.parametrize("neural", [False, True])
def test_training_uses_seen_voices_and_training_sentences_only(*, neural: bool) -> None:
    items = speech_corpus.training_plan(Grammar.read(), 300, seed=1, neural=neural)
    assert len(items) == 300
    for item in items:
        assert item.request.voice.role is Role.SEEN
        assert (item.request.voice.synthesiser == "kokoro") is neural
        assert split_of(item.text) is Split.TRAIN


def test_the_plan_depends_on_the_seed_only() -> None:
    grammar = Grammar.read()
    one, two, other = (
        speech_corpus.training_plan(grammar, 50, seed=seed, neural=False) for seed in (1, 1, 2)
    )
    assert one == two != other


def test_no_test_voice_is_a_training_voice() -> None:
    speakers = {role: {voice.speaker for voice in voices.with_role(role)} for role in Role}
    assert not speakers[Role.SEEN] & speakers[Role.UNSEEN_VOICE]
    assert not speakers[Role.SEEN] & speakers[Role.NEVER_USED]
    # Blends of two styles must not bring a held-out one in.
    for voice in voices.with_role(Role.UNSEEN_VOICE, neural=True):
        assert not any(voice.name in speaker for speaker in speakers[Role.SEEN])
    # Of a synthesiser or a speaker that was never used, no voice may be in training.
    seen = {voice.synthesiser for voice in voices.with_role(Role.SEEN)}
    assert "pico" not in seen
    assert not any("ked" in speaker for speaker in speakers[Role.SEEN])


def test_voices_are_drawn_by_their_shares() -> None:
    rng = random.Random(0)
    candidates = [Voice("a", "often", Role.SEEN, 3.0), Voice("a", "seldom", Role.SEEN, 1.0)]
    drawn = [voices.draw(rng, candidates).name for _ in range(2000)]
    assert 1400 < drawn.count("often") < 1600


class TestSynthesisers:
    """The real ones, where they are installed."""

    @pytest.mark.parametrize(
        "voice",
        [
            Voice("espeak-ng", "en-us+f3", Role.SEEN, 1.0),
            Voice("flite", "rms", Role.SEEN, 1.0, (80, 120)),
            Voice("festival", "kal_diphone", Role.SEEN, 1.0, (80, 120)),
        ],
        ids=lambda voice: voice.synthesiser,
    )
    def test_speaks_trimmed_samples(self, voice: Voice) -> None:
        if shutil.which(voice.synthesiser) is None:
            pytest.skip(f"apt-get install {synthesis.PACKAGES[voice.synthesiser]}")
        texts = ("navigate home", "set the temperature to twenty one degrees")
        short, long = synthesis.speak([Request(text, voice) for text in texts])
        for audio in (short, long):
            assert audio.dtype == np.int16
            assert np.abs(audio).max() == pytest.approx(0.7 * 32767, rel=0.01)
            assert np.abs(audio[: SAMPLE_RATE // 10]).max() > 300
        assert 0.4 < short.size / SAMPLE_RATE < 1.6
        assert 1.5 < long.size / SAMPLE_RATE < 4
        assert long.size > 1.5 * short.size

    def test_a_voice_that_is_not_there_is_reported(self) -> None:
        if shutil.which("espeak-ng") is None:
            pytest.skip(f"apt-get install {synthesis.PACKAGES['espeak-ng']}")
        voice = Voice("espeak-ng", "xx-nobody", Role.SEEN, 1.0)
        with pytest.raises(ConfigurationError, match="espeak-ng"):
            synthesis.speak([Request("hello", voice)])

    def test_a_missing_synthesiser_names_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        with pytest.raises(ConfigurationError, match="apt-get install flite"):
            synthesis.speak([Request("hello", Voice("flite", "slt", Role.SEEN, 1.0))])


def test_index_is_written_after_the_audio(tmp_path: Path, quick: list[int]) -> None:
    speech_corpus.make(plan(3), tmp_path, 1, lambda _: None)
    index = json.loads((tmp_path / "0000.json").read_text())
    assert sum(index["samples"]) == np.load(tmp_path / "0000.npy").size
    assert (tmp_path / "0000.json").stat().st_mtime_ns >= (tmp_path / "0000.npy").stat().st_mtime_ns
