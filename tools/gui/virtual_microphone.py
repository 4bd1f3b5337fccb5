"""A microphone that hears what is played to it: a sound server of its own with a sink whose monitor it is."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.gui.gui_error import GuiError
from tools.process.child import Child

NAME: Final = "Cabin microphone"
"""As programs show it."""
_START_SECONDS: Final = 120.0
_RATE: Final = 16000
_DELAY_MS: Final = 20
"""Of the microphone."""
_BUFFER_MS: Final = 1000
"""Of the player, so that a busy machine makes no gaps in speech."""


@dataclass(frozen=True, slots=True)
class VirtualMicrophone:
    """Exists as long as its sound server.

    Args:
        server: for the environment variable ``PULSE_SERVER``.
        runtime: a private directory for ``XDG_RUNTIME_DIR``.
    """

    server: str
    runtime: Path

    @property
    def environment(self) -> dict[str, str]:
        """For programs that shall hear it."""
        return {"PULSE_SERVER": self.server, "XDG_RUNTIME_DIR": str(self.runtime)}

    def play(self, file: Path) -> Child:
        """Begin to play a file to it."""
        return Child(["paplay", f"--latency-msec={_BUFFER_MS}", str(file)], self.environment)


@contextmanager
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """A sound server with this microphone only, which is the default."""
    with tempfile.TemporaryDirectory(prefix="sound-") as folder:
        socket = Path(folder) / "native"
        microphone = VirtualMicrophone(f"unix:{socket}", Path(folder))
        with Child(_command(socket), {"XDG_RUNTIME_DIR": folder, "HOME": folder}) as server:
            _wait_for(microphone, server)
            # A null sink that nobody plays to passes sound on every two seconds only.
            format_ = ["--raw", f"--rate={_RATE}", "--channels=1"]
            silence = ["pacat", *format_, f"--latency-msec={_DELAY_MS}", "/dev/zero"]
            with Child(silence, microphone.environment):
                yield microphone


def _command(socket: Path) -> list[str]:
    description = f"device.description='{NAME}'"
    modules = (
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        f"module-null-sink sink_name=cabin rate={_RATE} channels=1",
        f'module-remap-source master=cabin.monitor source_name=microphone source_properties="{description}"',
    )
    options = [
        "--daemonize=no",
        "-n",
        "--exit-idle-time=-1",
        "--disable-shm=yes",
        "--use-pid-file=no",
    ]
    return ["pulseaudio", *options, *(f"--load={module}" for module in modules)]


def _wait_for(microphone: VirtualMicrophone, server: Child) -> None:
    deadline = time.monotonic() + _START_SECONDS
    environment = os.environ | microphone.environment
    command = ["pactl", "set-default-source", "microphone"]
    while True:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if server.has_ended or time.monotonic() > deadline:
            raise GuiError(f"pulseaudio did not start: {server.complaint()}")
        time.sleep(0.05)
