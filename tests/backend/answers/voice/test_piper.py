"""rtap.answers.voice.piper: a program in the place of Piper, which takes its options and gives raw sound."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rtap.answers.voice import piper
from rtap.answers.voice.choice import make_voice
from rtap.answers.voice.engine import Speech
from rtap.answers.voice.piper import PiperVoice, make, read_voice
from rtap.config import AnswersConfig
from rtap.errors import ConfigurationError, SpeakerError
from tests.backend.answers.voice.installed import needs_espeak

PROGRAM = """#!/bin/sh
echo "$@" >>{folder}/started
read -r text || exit 0
echo "$text" >>{folder}/texts
[ "$text" = fail ] && {{ echo cannot read the voice >&2; exit 1; }}
# Sound of so many samples as there are characters.
printf %s "$text" | sed 's/./\\x00\\x40/g'
"""


class Installed:
    """Piper and its voices in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "bin" / "piper"
        program.parent.mkdir()
        program.write_text(PROGRAM.format(folder=folder))
        program.chmod(0o755)

    def voice(self, name: str, language: str | None = None, settings: object = None) -> str:
        path = self.folder / f"{name}.onnx"
        path.write_bytes(b"network")
        if settings is None:
            settings = {
                "audio": {"sample_rate": 16_000},
                "espeak": {"voice": name.replace("_", "-").lower()},
                "language": {"family": language} if language else {},
            }
        path.with_name(f"{name}.onnx.json").write_text(json.dumps(settings))
        return str(path)

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return Installed(tmp_path)


@pytest.fixture
def voice(installed: Installed) -> Iterator[PiperVoice]:
    names = (installed.voice("de_DE", "de"), installed.voice("fr_FR", "fr"))
    made = make(AnswersConfig(piper_voices=names, speed=125))
    yield made
    made.close()


def said(voice: PiperVoice, text: str, language: str = "de") -> list[Speech]:
    return list(voice.say(text, language, threading.Event()))


def test_a_sentence(voice: PiperVoice, installed: Installed):
    speech = said(voice, "Guten Tag")
    samples = np.concatenate([piece.samples for piece in speech])
    assert samples.tolist() == [0.5] * len("Guten Tag")
    assert {piece.rate for piece in speech} == {16_000}
    assert installed.lines("texts") == ["Guten Tag"]
    expected = f"--model {installed.folder}/de_DE.onnx --output-raw --length-scale 0.800"
    assert installed.lines("started")[0] == expected


def test_the_next_one_is_loaded_while_the_first_is_heard(voice: PiperVoice):
    said(voice, "eins")
    (waiting,) = voice._waiting.values()
    assert waiting.is_running
    said(voice, "zwei")
    assert not waiting.is_running
    assert len(voice._waiting) == 1


def test_one_that_died_while_waiting_is_replaced(voice: PiperVoice):
    said(voice, "eins")
    voice._waiting["de"].end()
    assert said(voice, "zwei")


def test_it_fails_and_the_next_sentence_is_spoken(voice: PiperVoice):
    with pytest.raises(SpeakerError, match=r"piper ended with status 1 \(cannot read the voice\)"):
        said(voice, "fail")
    assert said(voice, "zwei")


def test_nothing_is_left_running(voice: PiperVoice):
    said(voice, "eins")
    said(voice, "un", "fr")
    waiting = list(voice._waiting.values())
    assert len(waiting) == 2
    voice.close()
    assert not any(program.is_running for program in waiting)
    said(voice, "zwei")
    assert voice._waiting == {}


@needs_espeak
def test_languages_without_a_voice_are_for_espeak(installed: Installed):
    voice = make(AnswersConfig(piper_voices=(installed.voice("de_DE", "de"),)))
    assert {piece.rate for piece in said(voice, "Hello", "en")} == {22_050}
    assert installed.lines("texts") == []
    assert said(PiperVoice(("piper",), {}), "Hello", "en") == []


@pytest.mark.parametrize("settings", [{}, [], {"audio": {}}, {"espeak": {"voice": 1}}])
def test_what_describes_no_voice(settings: object, installed: Installed):
    path = installed.voice("de_DE", settings=settings)
    with pytest.raises(ConfigurationError, match=r"de_DE\.onnx\.json does not describe a voice"):
        read_voice(Path(path))


def test_a_voice_without_the_name_of_its_language(installed: Installed):
    assert read_voice(Path(installed.voice("en-us"))).language == "en"


def test_files_that_are_not_there(installed: Installed):
    path = Path(installed.voice("de_DE", "de"))
    path.with_name("de_DE.onnx.json").unlink()
    with pytest.raises(
        ConfigurationError, match=r"onnx\.json of answers\.piper_voices is not there"
    ):
        make(AnswersConfig(piper_voices=(str(path),)))


def test_two_voices_for_a_language(installed: Installed):
    voices = (installed.voice("a", "de"), installed.voice("b", "de"))
    with pytest.raises(ConfigurationError, match=r"has two voices for de.*a\.onnx and .*b\.onnx"):
        make(AnswersConfig(piper_voices=voices))


def test_no_voice():
    with pytest.raises(ConfigurationError, match=r"there is no voice: set answers\.piper_voices"):
        make_voice(AnswersConfig(voice="piper"))


def test_no_program(installed: Installed, monkeypatch: pytest.MonkeyPatch):
    (installed.folder / "bin" / "piper").unlink()
    monkeypatch.setattr(piper, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="run `pip install piper-tts`"):
        make(AnswersConfig(piper_voices=(installed.voice("de_DE", "de"),)))
