"""Loudspeakers that open, are not there, or have nobody to speak."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rtap.config import AnswersConfig, Config
from rtap.doctor.finding import Finding
from rtap.doctor.loudspeaker import check_loudspeaker
from rtap.errors import ConfigurationError
from tests.backend.audio.devices import SoundDevice
from tests.backend.doctor.made_machine import write

pytestmark = pytest.mark.usefixtures("_packages_load")


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> SoundDevice:
    module = SoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def check(**answers: object) -> Finding:
    return check_loudspeaker(Config(answers=AnswersConfig(**answers)))  # type: ignore[arg-type]


def test_it_opens(sounddevice: SoundDevice) -> None:
    assert check(voice="none", device="hdmi") == Finding("ok", "hdmi")
    assert sounddevice.streams[0].steps == ["start", "close"]


def test_nobody_speaks(root: Path, sounddevice: SoundDevice) -> None:
    finding = check()
    assert finding.verdict == "warning"
    assert finding.message == "default: tones only, as there is no voice"
    assert "apt-get install espeak-ng" in finding.fix
    with pytest.raises(ConfigurationError, match="apt-get install espeak-ng"):
        check(voice="espeak-ng")
    write(root / "bin/espeak-ng", "#!/bin/sh\n")
    (root / "bin/espeak-ng").chmod(0o755)
    assert check() == Finding("ok", "default")


def test_it_is_not_there(root: Path, sounddevice: SoundDevice) -> None:
    sounddevice.plugged = []
    finding = check(voice="none")
    assert finding.verdict == "warning"
    assert finding.message.startswith("no loudspeaker was found: plug one in")
    assert finding.fix == ""
    write(root / ".dockerenv", "")
    assert "--device /dev/snd" in check(voice="none").fix


@pytest.mark.parametrize("answers", [{"enabled": False}, {"voice": "none", "earcons": False}])
def test_nothing_is_to_be_heard(answers: dict[str, object]) -> None:
    finding = check(**answers)
    assert finding.verdict == "ok"
    assert finding.message.startswith("not used")
