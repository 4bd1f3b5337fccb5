"""rtap.answers.voice.espeak: Debian's espeak-ng."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soxr

from rtap.answers.voice import espeak
from rtap.answers.voice.espeak import EspeakVoice
from rtap.audio.format import SAMPLE_RATE
from rtap.config import AnswersConfig, WakeWordConfig
from rtap.errors import ConfigurationError, SpeakerError
from rtap.stages.wakeword.engine import WakeWord, make_wake_word
from tests.backend.answers.voice.installed import needs_espeak

pytestmark = needs_espeak
SENTENCES = Path(__file__).parents[1] / "sentences"


def spoken(text: str, language: str = "en", speed: int = 100) -> np.ndarray:
    speech = list(EspeakVoice(speed).say(text, language, threading.Event()))
    assert {piece.rate for piece in speech} == {22_050}
    return np.concatenate([piece.samples for piece in speech])


def test_a_sentence():
    samples = spoken("The temperature is 21.5 degrees.")
    assert samples.dtype == np.float32
    assert 1.5 * 22_050 < samples.size < 5 * 22_050
    assert 0.1 < np.abs(samples).max() <= 1
    # The header of the file is no sound.
    assert np.abs(samples[:200]).max() < 0.02


def test_languages_sound_differently():
    text = "Die Temperatur steht auf 21 Grad."
    assert spoken(text, "de").size != spoken(text, "en").size


def test_speed():
    text = "The windows are closed, and the doors are locked."
    slow, usual, fast = (spoken(text, speed=speed).size for speed in (50, 100, 200))
    assert fast < 0.7 * usual < 0.7 * 0.7 * slow


@pytest.mark.parametrize("text", ["-v de", "--help", "<speak>", "[[a]]", "$(date)", "21°C, 100 %"])
def test_a_text_is_no_option(text: str):
    assert spoken(text).size > 0.3 * 22_050


def test_nothing_to_say():
    assert list(EspeakVoice().say("", "en", threading.Event())) == [] or spoken("").max() < 0.01


def test_it_is_stopped():
    stop = threading.Event()
    sound = EspeakVoice().say("one, two, three. " * 50, "en", stop)
    next(sound)
    stop.set()
    assert list(sound) == []


def test_a_language_that_it_does_not_speak():
    with pytest.raises(SpeakerError, match=r"espeak-ng ended with status 1 .*does not exist"):
        spoken("text", "tlh")


def test_it_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert not espeak.is_installed()
    with pytest.raises(ConfigurationError, match="run `apt-get install espeak-ng`"):
        espeak.make(AnswersConfig(voice="espeak-ng"))


def test_sound_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path):
    (tmp_path / "espeak-ng").write_text("#!/bin/sh\ncat\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(SpeakerError, match="espeak-ng gave no sound: try it"):
        spoken("What it is not.")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_assistant_does_not_wake_itself(language: str):
    """The wake word's detector may listen on while an answer is spoken, so that it can be interrupted."""
    wake_word = make_wake_word(WakeWordConfig(sensitivity=0.9))
    assert wake_word is not None
    lines = (SENTENCES / f"{language}.txt").read_text("utf-8").splitlines()
    texts = [line.split(" -> ")[1] for line in lines if not line.startswith("#")][::4]
    assert len(texts) > 20
    heard = {text: wakes(wake_word, spoken(text, language)) for text in texts}
    assert {text for text, woken in heard.items() if woken} == set()
    assert wakes(wake_word, spoken("hey mycroft"))


def wakes(wake_word: WakeWord, speech: np.ndarray) -> bool:
    sound = soxr.resample(np.concatenate([speech, np.zeros(22_050)]), 22_050, SAMPLE_RATE)
    samples = sound.astype(np.float32)
    return any(wake_word.detect(samples[at : at + 320]) for at in range(0, samples.size, 320))
