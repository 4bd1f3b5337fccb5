"""Where sound goes: a loudspeaker of this machine, through PortAudio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from rtap.audio import portaudio
from rtap.audio.resampler import Resampler
from rtap.errors import ConfigurationError, SpeakerError

if TYPE_CHECKING:
    from rtap.answers.voice.engine import Speech

_PREFERRED_RATE: Final = 22_050
"""espeak-ng's and that of most of Piper's voices."""
BLOCK_SECONDS: Final = 0.02
"""What is handed to a device at a time, so that it can be ended soon."""


class Playback(Protocol):
    """An open device that plays one answer."""

    def write(self, speech: Speech) -> None:
        """Play the next piece; waits until the device has taken it.

        Raises:
            SpeakerError: the device was lost.
        """

    def finish(self) -> None:
        """Wait until all was played.

        Raises:
            SpeakerError: the device was lost.
        """

    def close(self) -> None:
        """Let go of the device; what was not played is dropped."""


class Output(Protocol):
    """Something that plays sound."""

    def open(self) -> Playback:
        """Get the device for one answer, and leave it to other programs between answers.

        Raises:
            SpeakerError: it is not there, or another program holds it.
        """


class Loudspeaker:
    """A device of this machine.

    Args:
        device: default, an ALSA name such as ``plughw:CARD=Headphones``, or a part of PortAudio's name. The
            card of an ALSA name is opened directly; conversion is done here.
    """

    def __init__(self, device: str) -> None:
        self._wanted = device

    def open(self) -> Playback:
        """See :meth:`Output.open`."""
        try:
            sounddevice = portaudio.import_sounddevice(
                "loudspeakers", "set answers.voice to none and answers.earcons to false"
            )
        except ConfigurationError as error:
            raise SpeakerError(str(error)) from error
        with portaudio.listed(sounddevice, "output", wait=False) as devices:
            device = self._find(sounddevice, devices)
            try:
                rate, channels = portaudio.choose_format(
                    sounddevice, device, "output", _PREFERRED_RATE
                )
                stream = sounddevice.OutputStream(
                    device=device["index"],
                    samplerate=rate,
                    channels=channels,
                    dtype="float32",
                    latency=portaudio.LATENCY_SECONDS,
                )
            except (sounddevice.PortAudioError, portaudio.NoDeviceError) as error:
                raise _cannot_open(device, error) from error
            opened = portaudio.OpenStream(stream)
        try:
            stream.start()
        except sounddevice.PortAudioError as error:
            opened.close()
            raise _cannot_open(device, error) from error
        return _DevicePlayback(opened, rate, channels, sounddevice.PortAudioError)

    def _find(self, sounddevice: Any, devices: Any) -> portaudio.Device:
        if not devices:
            raise SpeakerError(
                "no loudspeaker was found: plug one in (`aplay -l` lists them), or set answers.voice to none "
                "and answers.earcons to false"
            )
        try:
            return portaudio.find(sounddevice, devices, self._wanted, "output")
        except portaudio.NoDeviceError as error:
            names = "; ".join(str(device["name"]) for device in devices)
            raise SpeakerError(
                f"no loudspeaker is called {self._wanted}: plug it in, or set answers.device to another. "
                f"Loudspeakers here: {names}"
            ) from error


class _DevicePlayback:
    """A stream of PortAudio; see :class:`Playback`."""

    def __init__(
        self, opened: portaudio.OpenStream, rate: int, channels: int, lost: type[Exception]
    ) -> None:
        self._opened = opened
        self._rate = rate
        self._channels = channels
        self._lost = lost
        self._resampler: tuple[int, Resampler] | None = None

    def write(self, speech: Speech) -> None:
        if self._resampler is None or self._resampler[0] != speech.rate:
            self._flush()
            self._resampler = (speech.rate, Resampler(speech.rate, self._rate))
        self._put(self._resampler[1].push(speech.samples))

    def finish(self) -> None:
        self._flush()
        try:
            self._opened.stream.stop()
        except self._lost as error:
            raise _gone(error) from error

    def close(self) -> None:
        self._opened.close()

    def _flush(self) -> None:
        if self._resampler is not None:
            self._put(self._resampler[1].flush())
            self._resampler = None

    def _put(self, samples: Any) -> None:
        if samples.size == 0:
            return
        try:
            self._opened.stream.write(np.repeat(samples[:, None], self._channels, axis=1))
        except self._lost as error:
            raise _gone(error) from error


def _cannot_open(device: portaudio.Device, error: Exception) -> SpeakerError:
    return SpeakerError(
        f"the loudspeaker {device['name']} cannot be opened ({error}): end the program that holds it "
        "(`fuser -v /dev/snd/*` shows it), or set answers.device to another"
    )


def _gone(error: Exception) -> SpeakerError:
    return SpeakerError(f"the loudspeaker plays no sound any more ({error}): plug it in again")
