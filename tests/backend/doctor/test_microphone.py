"""Microphones that hear, hear nothing, or are not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rtap.audio import portaudio
from rtap.config import AudioConfig, Config
from rtap.doctor.finding import Finding
from rtap.doctor.microphone import check_microphone
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import AudioChunk
from rtap.stages import capture
from tests.backend.doctor.made_machine import write

CONFIG = Config()


class Microphone:
    """Hears what the test sets; the devices are those of sounddevice."""

    amplitude = 0.01
    failure: Exception | None = None
    closed = 0

    def __init__(self, config: AudioConfig) -> None:
        self._frame = config.frame_ms * 16
        self._open = True

    def chunks(self) -> Iterator[AudioChunk]:
        if self.failure is not None:
            raise self.failure
        while self._open:
            yield AudioChunk(np.full(self._frame, self.amplitude, np.float32), 0.0)
        Microphone.closed += 1

    def close(self) -> None:
        self._open = False


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch, _packages_load: None) -> type[Microphone]:
    devices = [{"name": "USB", "max_input_channels": 1}, {"name": "TV", "max_input_channels": 0}]
    module = SimpleNamespace(query_devices=lambda: devices)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(capture, "Microphone", Microphone)
    for name in ("amplitude", "failure", "closed"):
        monkeypatch.setattr(Microphone, name, getattr(Microphone, name))
    return Microphone


@pytest.mark.parametrize(
    ("amplitude", "verdict", "level"),
    [(0.01, "ok", -40), (0.0, "warning", -90), (0.99, "warning", 0)],
)
def test_microphone(
    amplitude: float, verdict: str, level: int, microphone: type[Microphone]
) -> None:
    microphone.amplitude = amplitude
    finding = check_microphone(CONFIG)
    assert finding.verdict == verdict
    assert finding.message == f"default: {level} dBFS in 0.5 s; there are USB"
    assert ("alsamixer" in finding.fix) == (verdict == "warning")
    assert microphone.closed == 1


def test_microphone_that_is_not_there(root: Path, microphone: type[Microphone]) -> None:
    microphone.failure = PipelineError("no microphone was found: plug one in")
    finding = check_microphone(CONFIG)
    assert finding == Finding("problem", "no microphone was found: plug one in")
    write(root / ".dockerenv", "")
    assert "--device /dev/snd" in check_microphone(CONFIG).fix
    (root / "dev/snd").mkdir(parents=True)
    assert check_microphone(CONFIG).fix == ""


@pytest.mark.usefixtures("_packages_load")
def test_microphone_without_portaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise ConfigurationError("the PortAudio library is missing: run `apt-get install x`")

    monkeypatch.setattr(portaudio, "import_sounddevice", missing)
    with pytest.raises(ConfigurationError, match="PortAudio library is missing: run `apt-get"):
        check_microphone(CONFIG)


@pytest.mark.usefixtures("_packages_load")
def test_other_sources(tmp_path: Path) -> None:
    finding = check_microphone(Config(audio=AudioConfig(source="none")))
    assert finding == Finding("ok", "not used, audio.source is none")
    command = Path(__file__).parents[2] / "audio" / "navigate_home.wav"
    file = Config(audio=AudioConfig(source="file", file=command))
    assert check_microphone(file).verdict == "ok"
    for audio in (
        AudioConfig(source="file", file=tmp_path / "none.wav"),
        AudioConfig(source="file"),
    ):
        with pytest.raises(Exception, match=r"does not exist|set audio.file"):
            check_microphone(Config(audio=audio))
