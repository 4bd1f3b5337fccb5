"""The documented part of sounddevice that looks for devices and plays."""

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

MICROPHONE = {
    "name": "USB Audio Device: - (hw:1,0)",
    "max_input_channels": 1,
    "max_output_channels": 0,
    "default_samplerate": 16_000.0,
}
SPEAKER = {
    "name": "vc4-hdmi: MAI PCM (hw:0,0)",
    "max_input_channels": 0,
    "max_output_channels": 8,
    "default_samplerate": 48_000.0,
}


class SoundDevice(ModuleType):
    """The module, for both directions."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.plugged: list[dict[str, Any]] = [MICROPHONE, SPEAKER]
        self.devices: list[dict[str, Any]] = []
        self.formats: set[tuple[int, int]] | None = None
        self.fails_to_open = False
        self.fails_to_start = False
        self.streams: list[OutputStream] = []

    def _terminate(self) -> None:
        self.devices = []

    def _initialize(self) -> None:
        self.devices = list(self.plugged)

    def query_devices(self, kind: str | None = None) -> Any:
        if kind is None:
            return tuple(self.devices)
        raise self.PortAudioError("Error querying device -1")

    def check_output_settings(
        self, *, device: int, channels: int, dtype: str, samplerate: float
    ) -> None:
        if self.formats is not None and (samplerate, channels) not in self.formats:
            raise self.PortAudioError("Invalid sample rate")

    def OutputStream(self, **settings: Any) -> "OutputStream":  # noqa: N802 (its name)
        if self.fails_to_open:
            raise self.PortAudioError("Device unavailable")
        self.streams.append(OutputStream(self, settings))
        return self.streams[-1]


class OutputStream:
    """sounddevice.OutputStream, which keeps what it plays."""

    def __init__(self, module: SoundDevice, settings: dict[str, Any]) -> None:
        self._module = module
        self.settings = settings
        self.blocks: list[NDArray[np.float32]] = []
        self.steps: list[str] = []
        self.is_lost = False

    def start(self) -> None:
        if self._module.fails_to_start:
            raise self._module.PortAudioError("Device unavailable")
        self.steps.append("start")

    def write(self, data: NDArray[np.float32]) -> bool:
        if self.is_lost:
            raise self._module.PortAudioError("Unanticipated host error")
        assert data.dtype == np.float32
        assert data.shape[1:] == (self.settings["channels"],)
        self.blocks.append(data.copy())
        return False

    def stop(self) -> None:
        if self.is_lost:
            raise self._module.PortAudioError("Unanticipated host error")
        self.steps.append("stop")

    def close(self) -> None:
        self.steps.append("close")
