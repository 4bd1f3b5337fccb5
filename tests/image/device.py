"""A device for the tests: an image on a disk of its own, switched on and off as often as a test wants."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tools.system.booting.console import Result
from tools.system.booting.disk import BootFiles, overlay
from tools.system.booting.machine import Settings, VirtualMachine

BACKEND: Final = "whisper-backend.service"
LOAD: Final = "whisper-backend-load.service"
SCREEN: Final = "voice-assistant.service"
CONTAINER: Final = "whisper-backend"
DISK_BYTES: Final = 6 * 2**30
LOGIN_SECONDS: Final = 300.0
HEALTHY_SECONDS: Final = 900.0
"""An emulator on a busy machine is fifty times slower than the board."""
MODELS: Final = "/usr/share/voice-assistant/models"
"""The models that the system brings along."""
SMALL_MODEL: Final = "MODEL_NAME=cabin-en"
"""A setting, for what is not about understanding people: the container's model, quick when emulated."""
LOOPBACK: Final = "modprobe snd-aloop"
"""Plugs a sound card in that stands for a microphone, what is played into it is heard."""
MICROPHONE: Final = "/dev/snd/voice-assistant-microphone"
"""The link to the card that is listened to."""


_USE_MODEL: Final = """\
import json, time, urllib.error, urllib.request
address = "http://127.0.0.1:8000"
body = json.dumps({{"model_name": "{name}"}}).encode()
headers = {{"Content-Type": "application/json"}}
request = urllib.request.Request(address + "/model", body, headers, method="PUT")
urllib.request.urlopen(request, timeout=60).close()
until = time.monotonic() + {seconds}
while True:
    try:
        urllib.request.urlopen(address + "/health", timeout=60).close()
        break
    except (OSError, urllib.error.URLError):
        assert time.monotonic() < until
        time.sleep(2)
loaded = json.load(urllib.request.urlopen(address + "/model/info", timeout=60))
assert loaded["model_name"] == "{name}", loaded
"""


class Booted:
    """A device that is switched on, with root logged in on the serial console."""

    def __init__(self, machine: VirtualMachine, login_seconds: float) -> None:
        self.machine = machine
        self.login_seconds = login_seconds

    def run(self, command: str, seconds: float = 60) -> str:
        """What a command says. It has to succeed."""
        done = self.attempt(command, seconds)
        assert done.status == 0, f"{command}: status {done.status}: {done.output}"
        return done.output.strip()

    def attempt(self, command: str, seconds: float = 60) -> Result:
        """The same, for one that may fail."""
        return self.machine.console.run(command, seconds)

    def uptime(self) -> float:
        """Seconds that the kernel has been running, by the guest's own clock."""
        return float(self.run("cat /proc/uptime").split()[0])

    def wait_until(
        self, what: str, is_so: Callable[[], bool], seconds: float, *, interval: float = 0.5
    ) -> float:
        """Wait for something, and return how long that took, by the guest's clock.

        Args:
            interval: seconds between two looks, which cost an emulated processor dearly.
        """
        began = self.uptime()
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
            time.sleep(interval)
        return self.uptime() - began

    def wait_healthy(self, seconds: float = HEALTHY_SECONDS) -> float:
        """Wait until the service is healthy.

        Returns:
            When it was, in seconds since the kernel's start.
        """
        self.wait_until(
            "the service is healthy", lambda: self.is_active(BACKEND), seconds, interval=4
        )
        return self.activated(BACKEND)

    def is_active(self, unit: str) -> bool:
        """Whether a unit is active; the service is only while it is healthy."""
        return self.attempt(f"systemctl is-active {unit}").output.strip() == "active"

    def activated(self, unit: str) -> float:
        """When a unit became active, in seconds since the kernel's start."""
        return int(self.property(unit, "ActiveEnterTimestampMonotonic")) / 1e6

    def property(self, unit: str, name: str) -> str:
        """What systemd knows of a unit."""
        return self.run(f"systemctl show --value --property {name} {unit}")

    def journal(self, *units: str, options: str = "") -> str:
        """This boot's lines of some units, or of all."""
        chosen = " ".join(f"--unit {unit}" for unit in units)
        return self.run(f"journalctl --boot --no-pager --output cat {options} {chosen}", 120)

    def inside(self, script: str, seconds: float = 120) -> str:
        """Run Python in the service's container, as its user."""
        self.machine.console.write_file("/tmp/inside.py", script.encode())
        return self.run(f"docker exec --interactive {CONTAINER} python - </tmp/inside.py", seconds)

    def default_model(self) -> str:
        """The model that the system is meant for; a test that needs one skips where there is none."""
        found = self.attempt(f"cat {MODELS}/default")
        if found.status:
            pytest.skip(
                "this image has no model but the container's: make model, then make test-image"
            )
        return found.output.strip()

    def use_model(self, name: str, seconds: float = 300) -> None:
        """Let the running service load another model, and wait until it has."""
        self.inside(_USE_MODEL.format(name=name, seconds=seconds), seconds + 60)

    def os_release(self) -> dict[str, str]:
        """What the system says of itself."""
        lines = self.run("cat /etc/os-release").splitlines()
        return {
            name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)
        }


class Device:
    """An image in a machine.

    Args:
        image: unpacked.
        folder: gets a disk, and a folder for each boot.
    """

    def __init__(self, image: Path, folder: Path) -> None:
        self.image = image
        self.folder = folder
        self.disk = folder / "disk.qcow2"
        self.boots = 0

    @contextmanager
    def boot(self, settings: Settings | None = None) -> Iterator[Booted]:
        """Switch it on and log in; at the end it is switched off without warning."""
        with self.switched_on(settings) as machine:
            seconds = machine.console.login(seconds=LOGIN_SECONDS)
            yield Booted(machine, seconds)

    @contextmanager
    def switched_on(self, settings: Settings | None = None) -> Iterator[VirtualMachine]:
        """Switch it on, and no more."""
        self.boots += 1
        folder = self.folder / f"boot-{self.boots}"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.disk.exists():
            overlay(self.image, self.disk, DISK_BYTES)
        files = BootFiles.from_image(self.image, folder)
        with VirtualMachine(files, self.disk, settings or Settings(), folder) as machine:
            yield machine


class Figures:
    """Measured times and sizes, written down as they come."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: dict[str, float] = {}

    def note(self, what: str, value: float) -> None:
        """Keep a figure; its name ends with the unit."""
        self.rows[what] = round(value, 1)
        self._file.write_text(json.dumps(self.rows, indent=2) + "\n")
