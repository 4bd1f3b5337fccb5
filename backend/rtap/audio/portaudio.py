"""PortAudio, which has one list of devices in a process: microphone and loudspeaker share it here."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

from rtap.errors import ConfigurationError

Kind = Literal["input", "output"]
Device = dict[str, Any]
"""As sounddevice describes it, with its ``index``."""
LATENCY_SECONDS: Final = 0.1
"""Sound that ALSA keeps while Python is busy elsewhere; blocks come at most this much later.

By default PortAudio asks for two blocks, 40 ms, and a busy processor lost a third of what was said.
"""
ALSA_CARDS: Final = Path("/proc/asound")
"""Has a link from each card's identifier to its number: Device -> card1."""
_ALSA_NAME: Final = re.compile(
    r"(?:plughw|hw|sysdefault|dsnoop|dmix|front):(?:CARD=)?([^,=]+)(?:,(?:DEV=)?(\d+))?"
)
_PATIENCE_SECONDS: Final = 30.0
"""How long a list of devices may wait for streams to be closed: an answer takes less."""
# PortAudio looks for devices when it is initialised, and initialising it again would end all streams.
_streams_closed: Final = threading.Condition()
_streams = 0


class NoDeviceError(Exception):
    """No device is as it was wanted; says why."""


def import_sounddevice(needed_for: str, without: str) -> Any:
    """The package sounddevice.

    Args:
        needed_for: what needs it, in the plural, for the message.
        without: how to do without.

    Raises:
        ConfigurationError: PortAudio is not installed.
    """
    try:
        import sounddevice
    except OSError as error:  # the package is there, the library is not
        raise ConfigurationError(
            f"the PortAudio library is missing, which {needed_for} need: run "
            f"`apt-get install libportaudio2`, or {without}"
        ) from error
    return sounddevice


class OpenStream:
    """A stream that has to be closed before devices can be listed anew.

    Args:
        stream: of sounddevice, within the block of :func:`listed`.
    """

    def __init__(self, stream: Any) -> None:
        global _streams  # noqa: PLW0603 (there is one PortAudio in a process)
        self.stream = stream
        self._is_open = True
        with _streams_closed:
            _streams += 1

    def close(self) -> None:
        """Close the stream; once is enough."""
        global _streams  # noqa: PLW0603
        with _streams_closed:
            if self._is_open:
                self._is_open = False
                self.stream.close()
                _streams -= 1
                _streams_closed.notify_all()


@contextmanager
def listed(sounddevice: Any, kind: Kind, *, wait: bool) -> Iterator[Sequence[Device]]:
    """The devices for recording or playing, which stay listed for the length of the block.

    Args:
        sounddevice: the package.
        kind: input or output.
        wait: for open streams to be closed, as only then devices are found that were plugged in since.
            Without it, the list is an old one while a stream is open.
    """
    with _streams_closed:
        if wait:
            _streams_closed.wait_for(lambda: _streams == 0, _PATIENCE_SECONDS)
        if _streams == 0:
            # sounddevice has no public names for these.
            sounddevice._terminate()  # noqa: SLF001
            sounddevice._initialize()  # noqa: SLF001
        every = sounddevice.query_devices()
        yield [
            {**device, "index": index}
            for index, device in enumerate(every)
            if device[f"max_{kind}_channels"] > 0
        ]


def find(sounddevice: Any, devices: Sequence[Device], wanted: str, kind: Kind) -> Device:
    """The device of a name.

    Args:
        sounddevice: the package.
        devices: not empty.
        wanted: default, an ALSA name such as ``plughw:CARD=Device``, or a part of PortAudio's name.
        kind: of the devices.

    Raises:
        NoDeviceError: none has the name.
    """
    if wanted.lower() in {"", "default"}:
        return _default(sounddevice, devices, kind)
    name = _portaudio_name(wanted).lower()
    names = [str(device["name"]).lower() for device in devices]
    if name in names:
        return devices[names.index(name)]
    for device, there in zip(devices, names, strict=True):
        if name in there:
            return device
    raise NoDeviceError(wanted)


def choose_format(sounddevice: Any, device: Device, kind: Kind, rate: int) -> tuple[int, int]:
    """Rate and channels that a device takes, as near to a rate and one channel as it can.

    Raises:
        NoDeviceError: it takes nothing.
    """
    check: Callable[..., None] = getattr(sounddevice, f"check_{kind}_settings")
    own_rate, own_channels = round(device["default_samplerate"]), device[f"max_{kind}_channels"]
    counts = (1, own_channels) if kind == "input" else (1, 2, own_channels)
    problem: Exception | None = None
    for one, channels in dict.fromkeys(product((rate, own_rate), counts)):
        try:
            check(device=device["index"], channels=channels, dtype="float32", samplerate=one)
        except sounddevice.PortAudioError as error:
            problem = error
        else:
            return one, channels
    raise NoDeviceError(str(problem))


def _default(sounddevice: Any, devices: Sequence[Device], kind: Kind) -> Device:
    try:
        name = sounddevice.query_devices(kind=kind)["name"]
    except (sounddevice.PortAudioError, ValueError):
        return devices[0]  # ALSA without a default: take what is there
    return next((device for device in devices if device["name"] == name), devices[0])


def _portaudio_name(device: str) -> str:
    """What PortAudio's name contains for an ALSA name: ``(hw:1,0)`` for ``plughw:CARD=Device``."""
    alsa = _ALSA_NAME.fullmatch(device)
    if alsa is None:
        return device
    card, number = alsa[1], alsa[2] or "0"
    link = ALSA_CARDS / card
    if link.is_symlink():
        card = link.readlink().name.removeprefix("card")
    return f"hw:{card},{number})"
