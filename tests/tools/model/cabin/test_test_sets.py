import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.cabin import recordings, test_sets
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.sentences import Split, split_of
from tools.model.cabin.speech_corpus import Utterance
from tools.model.cabin.voices import Role
from tools.model.evaluation.data import load_data

TONE = np.round(20_000 * np.sin(np.arange(2 * SAMPLE_RATE) / 8)).astype(np.int16)
UTTERANCE = Utterance(TONE, "turn left", "turn left", "tone")


@pytest.mark.parametrize("decibels", [20, 5])
def test_noise_lies_at_its_level_below_the_speech(decibels: int) -> None:
    rng = np.random.default_rng(0)
    clean = test_sets._clip(UTTERANCE, rng)
    noisy = test_sets._noisy(clean, decibels, rng)
    begin, end = (int(seconds * SAMPLE_RATE) for seconds in test_sets._SILENCE)
    scale = np.dot(noisy.audio, clean.audio) / np.dot(clean.audio, clean.audio)
    speech = np.var(scale * clean.audio[begin:-end])
    noise = np.var(noisy.audio - scale * clean.audio)
    assert 10 * np.log10(speech / noise) == pytest.approx(decibels, abs=1.5)
    assert np.abs(noisy.audio).max() <= 0.99 + 1e-6
    assert (noisy.noise, noisy.text, noisy.speaker) == (f"{decibels} dB", "turn left", "tone")


def test_sets_are_what_evaluate_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips = [test_sets._clip(UTTERANCE, rng), test_sets.Clip(np.zeros(800, np.float32), "", "rain")]
    test_sets._write(tmp_path / "sentences", clips)
    assert [one.text for one in load_data([tmp_path / "sentences"])] == ["turn left", ""]
    assert soundfile.info(tmp_path / "sentences/0000.wav").samplerate == SAMPLE_RATE
    line = json.loads((tmp_path / "sentences/manifest.jsonl").read_text().splitlines()[1])
    assert (line["speaker"], line["set"], line["noise"]) == ("rain", "sentences", "clean")


def test_test_speech_is_of_held_out_sentences_and_the_right_voices() -> None:
    plans = test_sets._plans(Grammar.read(), seed=1)
    wanted = {
        "sentences": Role.SEEN,
        "voices": Role.UNSEEN_VOICE,
        "never-used": Role.NEVER_USED,
    }
    for name, role in wanted.items():
        assert len({item.text for item in plans[name]}) == len(plans[name])
        assert all(split_of(item.text) is Split.TEST for item in plans[name])
        assert {item.request.voice.role for item in plans[name]} == {role}


def test_no_speech_clips_are_of_every_kind_and_have_no_text(monkeypatch) -> None:
    monkeypatch.setattr(test_sets, "_CLIPS", 12)
    monkeypatch.setattr(
        "tools.model.cabin.noise.bank", lambda *_: {"fan": np.ones(16 * SAMPLE_RATE)}
    )
    clips = list(test_sets._without_speech([TONE], np.random.default_rng(0)))
    assert len({clip.noise for clip in clips}) == 11
    assert all(not clip.text and np.abs(clip.audio).max() <= 1 for clip in clips)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Please check the number, and dial again.", "please check the number and dial again"),
        ("[this is a beep] Goodbye!", "goodbye"),
        ("<silence>", ""),
        ("o'clock", "o'clock"),
    ],
)
def test_transcripts_of_recordings_are_reduced_to_words(line: str, words: str) -> None:
    assert recordings._words(line) == words


def test_long_recordings_are_cut_into_pieces() -> None:
    pieces = list(recordings._pieces(np.zeros(100 * SAMPLE_RATE, np.float32)))
    assert len(pieces) == 12
    assert all(piece.size == 3 * SAMPLE_RATE for piece in pieces)
    [short] = recordings._pieces(np.zeros(SAMPLE_RATE, np.float32))
    assert short.size == SAMPLE_RATE


def test_recordings_with_words_are_no_noise() -> None:
    assert recordings._has_words("alsa-utils", Path("Front_Left.wav"))
    assert recordings._has_words("sound-theme-freedesktop", Path("audio-channel-side-left.oga"))
    assert not recordings._has_words("alsa-utils", Path("Noise.wav"))
    assert not recordings._has_words("sound-theme-freedesktop", Path("phone-incoming-call.oga"))


def test_a_package_that_cannot_be_had_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigurationError, match="apt-get is missing: run this on Debian"):
        recordings.unpack(("alsa-utils",), tmp_path)
