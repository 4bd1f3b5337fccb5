"""rtap.audio.portaudio: microphone and loudspeaker share one list of devices."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from rtap.audio import portaudio
from tests.backend.audio.devices import MICROPHONE, SPEAKER, SoundDevice
from tests.deadlines import SOON


def stream() -> Any:
    return SimpleNamespace(close=lambda: None)


def names(sounddevice: SoundDevice, *, wait: bool) -> list[str]:
    with portaudio.listed(sounddevice, "output", wait=wait) as devices:
        return [device["name"] for device in devices]


def test_devices_of_one_direction_with_their_numbers():
    with portaudio.listed(SoundDevice(), "output", wait=False) as devices:
        assert [(device["name"], device["index"]) for device in devices] == [(SPEAKER["name"], 1)]
    with portaudio.listed(SoundDevice(), "input", wait=False) as devices:
        assert [device["index"] for device in devices] == [0]


def test_an_open_stream_is_not_ended_by_a_look_for_devices():
    sounddevice = SoundDevice()
    assert names(sounddevice, wait=False) == [SPEAKER["name"]]
    opened = portaudio.OpenStream(stream())
    sounddevice.plugged = [MICROPHONE]
    assert names(sounddevice, wait=False) == [SPEAKER["name"]]
    opened.close()
    opened.close()
    assert names(sounddevice, wait=False) == []


def test_a_look_for_new_devices_waits_for_streams_to_be_closed():
    sounddevice = SoundDevice()
    opened = portaudio.OpenStream(stream())
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(names(sounddevice, wait=True)))
    thread.start()
    assert found == []
    opened.close()
    thread.join(SOON)
    assert found == [[SPEAKER["name"]]]


@pytest.mark.parametrize("wanted", ["default", "", "plughw:0,0", "HDMI"])
def test_which_speaker(wanted: str):
    sounddevice = SoundDevice()
    with portaudio.listed(sounddevice, "output", wait=False) as devices:
        assert portaudio.find(sounddevice, devices, wanted, "output")["index"] == 1


def test_no_such_speaker():
    sounddevice = SoundDevice()
    with (
        portaudio.listed(sounddevice, "output", wait=False) as devices,
        pytest.raises(portaudio.NoDeviceError, match="USB"),
    ):
        portaudio.find(sounddevice, devices, "USB", "output")


@pytest.mark.parametrize(
    ("formats", "chosen"),
    [
        (None, (22_050, 1)),
        ({(22_050, 2)}, (22_050, 2)),
        ({(48_000, 2), (48_000, 8)}, (48_000, 2)),
        ({(48_000, 8)}, (48_000, 8)),
    ],
)
def test_format(formats: set[tuple[int, int]] | None, chosen: tuple[int, int]):
    sounddevice = SoundDevice()
    sounddevice.formats = formats
    speaker = {**SPEAKER, "index": 1}
    assert portaudio.choose_format(sounddevice, speaker, "output", 22_050) == chosen


def test_no_format():
    sounddevice = SoundDevice()
    sounddevice.formats = set()
    with pytest.raises(portaudio.NoDeviceError, match="Invalid sample rate"):
        portaudio.choose_format(sounddevice, {**SPEAKER, "index": 1}, "output", 22_050)
