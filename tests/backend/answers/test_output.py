"""rtap.answers.output: a loudspeaker, on a module with the documented API of sounddevice."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rtap.answers.output import Loudspeaker
from rtap.answers.voice.engine import Speech
from rtap.audio import portaudio
from rtap.errors import SpeakerError
from tests.backend.audio.devices import MICROPHONE, SoundDevice


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> SoundDevice:
    module = SoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def sine(rate: int) -> np.ndarray:
    """A second."""
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)


def play(output: Loudspeaker, *speech: Speech) -> None:
    playback = output.open()
    for piece in speech:
        playback.write(piece)
    playback.finish()
    playback.close()


def test_it_plays_what_it_is_given(sounddevice: SoundDevice):
    play(Loudspeaker("default"), Speech(sine(22_050), 22_050))
    (stream,) = sounddevice.streams
    assert stream.settings == {
        "device": 1,
        "samplerate": 22_050,
        "channels": 1,
        "dtype": "float32",
        "latency": 0.1,
    }
    np.testing.assert_array_equal(np.concatenate(stream.blocks)[:, 0], sine(22_050))
    assert stream.steps == ["start", "stop", "close"]


def test_another_rate_and_two_channels(sounddevice: SoundDevice):
    sounddevice.formats = {(48_000, 2)}
    pieces = [Speech(part, 22_050) for part in np.array_split(sine(22_050), 50)]
    play(Loudspeaker("hdmi"), *pieces, Speech(sine(16_000), 16_000))
    (stream,) = sounddevice.streams
    played = np.concatenate(stream.blocks)
    assert played.shape[0] == pytest.approx(2 * 48_000, abs=4)
    np.testing.assert_array_equal(played[:, 0], played[:, 1])
    middle = slice(4_000, 44_000)
    np.testing.assert_allclose(played[middle, 0], sine(48_000)[middle], atol=0.01)


def test_it_is_dropped_without_finish(sounddevice: SoundDevice):
    playback = Loudspeaker("default").open()
    playback.write(Speech(sine(22_050), 22_050))
    playback.close()
    assert sounddevice.streams[0].steps == ["start", "close"]


def test_it_leaves_an_open_microphone_alone(sounddevice: SoundDevice):
    with portaudio.listed(sounddevice, "input", wait=False):
        microphone = portaudio.OpenStream(sounddevice.OutputStream())
    sounddevice.plugged = []
    play(Loudspeaker("default"), Speech(sine(22_050), 22_050))
    microphone.close()
    with pytest.raises(SpeakerError, match="no loudspeaker was found"):
        Loudspeaker("default").open()


def test_no_loudspeaker(sounddevice: SoundDevice):
    sounddevice.plugged = [MICROPHONE]
    with pytest.raises(
        SpeakerError, match=r"no loudspeaker was found: plug one in .*answers\.voice"
    ):
        Loudspeaker("default").open()


def test_no_such_loudspeaker(sounddevice: SoundDevice):
    message = r"no loudspeaker is called USB: .*answers\.device.*here: vc4-hdmi"
    with pytest.raises(SpeakerError, match=message):
        Loudspeaker("USB").open()


@pytest.mark.parametrize("fault", ["formats", "fails_to_open", "fails_to_start"])
def test_it_cannot_be_opened(fault: str, sounddevice: SoundDevice):
    setattr(sounddevice, fault, set() if fault == "formats" else True)
    with pytest.raises(SpeakerError, match=r"vc4-hdmi.*cannot be opened .*fuser"):
        Loudspeaker("default").open()
    # Nothing is left open that would hide new devices.
    sounddevice.plugged = []
    with pytest.raises(SpeakerError, match="no loudspeaker was found"):
        Loudspeaker("default").open()


def test_it_is_lost(sounddevice: SoundDevice):
    playback = Loudspeaker("default").open()
    sounddevice.streams[0].is_lost = True
    with pytest.raises(SpeakerError, match="plays no sound any more"):
        playback.write(Speech(sine(22_050), 22_050))
    with pytest.raises(SpeakerError, match="plays no sound any more"):
        playback.finish()
    playback.close()


def test_portaudio_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpeakerError, match="which loudspeakers need: run `apt-get install libport"):
        Loudspeaker("default").open()
