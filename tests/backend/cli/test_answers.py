"""rtap answers check | say | try."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soxr

from rtap.__main__ import main
from rtap.answers.answer import Earcon
from rtap.answers.earcons import RATE, tone
from tests.backend.answers.voice.installed import needs_espeak, needs_portaudio
from tests.deadlines import SOON

_ALSA = Path("/usr/share/alsa/alsa.conf")
_DEVICE = """
<{alsa}>
pcm.into_a_file {{ type file  file "{file}"  format raw  slave.pcm null }}
pcm.cabin {{ type plug  slave {{ pcm into_a_file  rate 48000  channels 1  format S16_LE }} }}
"""


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("RTAP_ENVIRONMENT", "RTAP_LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "default.yaml"
    file.write_text("answers: { device: no such device }\n")
    return file


def test_check(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["answers", "check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["ok: de: 101 intents", "ok: en: 101 intents"]
    assert main(["answers", "check", "--language", "de"]) == 0
    assert capsys.readouterr().out.startswith("ok: de: ")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "en.yaml").write_text("intents: { OpenTrunk: { done: 'The {boot}' } }\n")
    assert main(["answers", "check", str(tmp_path / "more")]) == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("ok: de")
    assert shown.err.startswith(f"rtap: error: {tmp_path}/more/en.yaml:1: {{boot}} is no fact here")
    assert main(["answers", "check", str(tmp_path / "more"), "--json"]) == 2
    shown_json = json.loads(capsys.readouterr().out)
    assert [row["language"] for row in shown_json["languages"]] == ["de"]
    assert len(shown_json["faults"]) == 1
    assert main(["answers", "check", "--language", "fr"]) == 2
    assert "no answers in the language fr: choose one of de, en" in capsys.readouterr().err


def test_try(capsys: pytest.CaptureFixture[str]):
    assert main(["answers", "try", "set the temperature to 25 degrees"]) == 0
    assert capsys.readouterr().out == "The temperature is 25 degrees.\n"
    assert main(["answers", "try", "Mach das Fenster hinten auf", "--language", "de"]) == 0
    assert capsys.readouterr().out == "Die Fenster hinten sind offen.\n"
    assert main(["answers", "try", "the weather was lovely in Rome", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["result"] is None
    assert shown["answer"] == {
        "text": "I did not understand that.",
        "language": "en",
        "earcon": "failed",
    }
    assert main(["answers", "try", "warmer", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["result"]["outcome"] == "done"
    assert shown["answer"]["earcon"] == "done"


def test_no_voice(capsys: pytest.CaptureFixture[str], profile: Path):
    profile.write_text("answers: { voice: none }\n")
    assert main(["answers", "say", "Hello"]) == 2
    assert "there is no voice: run `apt-get install espeak-ng`" in capsys.readouterr().err


@needs_espeak
@needs_portaudio
@pytest.mark.skipif(not _ALSA.is_file(), reason="ALSA's library is not installed")
def test_say_on_a_device_of_alsa(tmp_path: Path, profile: Path):
    played = tmp_path / "played.raw"
    (tmp_path / "asound.conf").write_text(_DEVICE.format(alsa=_ALSA, file=played))
    profile.write_text("answers: { device: cabin, volume: 100 }\n")
    command = [sys.executable, "-m", "rtap", "answers", "say", "The windows are closed."]
    environment = os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SOON, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    sound = np.frombuffer(played.read_bytes(), np.int16) / 2**15
    assert 1.5 < sound.size / 48_000 < 5
    melody = soxr.resample(tone(Earcon.HEARD), RATE, 48_000)
    begin = sound[: melody.size + 2_000]
    likeness = np.correlate(begin, melody).max() / np.dot(melody, melody)
    assert likeness == pytest.approx(1, abs=0.05)
    assert 0.2 < np.abs(sound[melody.size + 4_800 :]).max() <= 1


@needs_espeak
@needs_portaudio
def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str]):
    assert main(["answers", "try", "louder", "--say"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "The volume is 40 percent.\n"
    assert shown.err.startswith("rtap: error: no loudspeaker ")
    assert shown.err.count("\n") == 1
