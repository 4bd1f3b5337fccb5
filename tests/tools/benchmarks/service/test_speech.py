from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
import soundfile

from rtap.audio.format import SAMPLE_RATE
from tools.benchmarks.service.speech import end_of_speech, mixed, phrases, recording, synthesised


def test_speech_ends_after_the_last_loud_sound() -> None:
    samples = np.zeros(SAMPLE_RATE, np.float32)
    samples[2_000:8_000] = 0.5
    samples[8_000:12_000] = 0.002  # a faint echo
    assert end_of_speech(samples) == 8_000


def test_the_commands_end_before_their_files_do() -> None:
    for phrase in phrases():
        rest = phrase.samples[phrase.end_of_speech :]
        assert 0.2 < rest.size / SAMPLE_RATE < 0.6
        assert np.abs(rest).max() < 0.05 * np.abs(phrase.samples).max()
    assert phrases()[2].text == "set the temperature to twenty one degrees"


def test_a_recording_has_its_length_and_its_words() -> None:
    spoken = phrases()
    made = recording(spoken, 10.0, seed=1)
    assert made.samples.size == 10 * SAMPLE_RATE
    assert 4 <= made.words <= 20
    audio, rate = soundfile.read(io.BytesIO(made.wav()), dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.abs(audio - made.samples).max() < 1e-3
    assert np.array_equal(made.samples, recording(spoken, 10.0, seed=1).samples)


def test_mixed_commands_have_many_lengths_and_no_long_pause() -> None:
    spoken = phrases()
    made = mixed(spoken, 20, seed=2)
    assert len({phrase.samples.size for phrase in made}) > 8
    assert [one.text for one in made] == [one.text for one in mixed(spoken, 20, seed=2)]
    longest = max(made, key=lambda phrase: phrase.samples.size)
    assert longest.end_of_speech == longest.samples.size
    assert len(longest.text.split()) > 7


def test_without_espeak_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert synthesised() == ()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_speaks_more() -> None:
    for phrase in synthesised():
        assert 0.5 * SAMPLE_RATE < phrase.end_of_speech <= phrase.samples.size
        assert phrase.samples.dtype == np.float32
        assert np.abs(phrase.samples).max() == pytest.approx(0.7, abs=0.01)
