"""A machine in QEMU, from power-on to power-off; it never outlives the process that started it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from tools.system.booting import abilities, ports, programs, qemu_arguments
from tools.system.booting.boot_error import BootError
from tools.system.booting.console import Console, ConsoleError
from tools.system.booting.disk import BootFiles
from tools.system.booting.qmp import QemuControl
from tools.system.booting.settings import VIRTUAL, Settings

__all__ = ["Settings", "VirtualMachine"]

_AXIS: Final = 0x7FFF
"""QEMU's largest position on an axis (INPUT_EVENT_ABS_MAX)."""
_DIES_WITH_US: Final = (
    *("setpriv", "--pdeathsig", "KILL", "sh", "-c"),
    'test "$PPID" = "$0" && exec "$@"',
)
"""The kernel kills QEMU when its parent ends, however it ends; the test is for one that just has."""


class VirtualMachine:
    """Powered on with ``with``, off at its end. The thread that starts it must live as long.

    Args:
        boot: what QEMU loads.
        disk: a qcow2 that is written to.
        folder: gets ``console.log`` and what QEMU says.

    Attributes:
        ports: where on 127.0.0.1 the guest's ports are.
        console: of the serial port.
    """

    console: Console

    def __init__(self, boot: BootFiles, disk: Path, settings: Settings, folder: Path) -> None:
        self.ports: Mapping[int, int] = MappingProxyType({})
        self._boot = boot
        self._disk = disk
        self._settings = settings
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._control: QemuControl | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        """Raises: BootError: QEMU does not start. ConfigurationError: it cannot do what is asked."""
        programs.require("setpriv")
        self._settings = abilities.settled(self._settings)
        if self._settings.network and self._settings.machine == VIRTUAL:
            self.ports = ports.choose(ports.GUEST_PORTS, self._settings.ports)
        self._folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = _socket_pairs("serial", "control")
        try:
            descriptors = {name: end.fileno() for name, end in theirs.items()}
            command = qemu_arguments.arguments(
                self._boot, self._disk, self._settings, self.ports, descriptors
            )
            self._started = time.monotonic()
            self._process = self._start(command, tuple(descriptors.values()))
        finally:
            for end in theirs.values():
                end.close()
        self._control = QemuControl(ours["control"])
        self.console = Console(
            ours["serial"], self._folder / "console.log", self._started, self.diagnosis
        )
        self._greet()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.power_cut()
        self.console.close()
        if self._control is not None:
            self._control.close()

    @property
    def pid(self) -> int:
        """Of QEMU."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it is powered on."""
        return self._process is not None and self._process.poll() is None

    def seconds(self) -> float:
        """Since power-on."""
        return time.monotonic() - self._started

    def screenshot(self, png: Path) -> None:
        """Save what the screen shows.

        Raises:
            BootError: QEMU cannot, or has ended.
        """
        self._dump(png, "png")

    def screen(self) -> bytes:
        """What the screen shows, as a portable pixmap (PPM)."""
        file = self._folder / "screen.ppm"
        self._dump(file, "ppm")
        try:
            return file.read_bytes()
        finally:
            file.unlink()

    def touch(self, x: int, y: int) -> None:
        """Tap the screen, as a finger does.

        Args:
            x, y: in pixels of the virtual board's screen, from the upper left corner.

        Raises:
            BootError: the machine has no pointing device, or has ended.
        """
        at = (("x", x, qemu_arguments.WIDTH), ("y", y, qemu_arguments.HEIGHT))
        where = [
            {"type": "abs", "data": {"axis": axis, "value": pixels * _AXIS // size}}
            for axis, pixels, size in at
        ]
        for down in (True, False):
            finger = {"type": "btn", "data": {"button": "left", "down": down}}
            self._executed("input-send-event", events=[*where, finger])

    def press(self, key: str) -> None:
        """Press a key and let it go.

        Args:
            key: a name of QEMU's QKeyCode, such as ``esc``.

        Raises:
            BootError: there is no such key, or QEMU has ended.
        """
        self._executed("send-key", keys=[{"type": "qcode", "data": key}])

    def vnc_address(self) -> str:
        """Where the screen can be looked at."""
        told = self._executed("query-vnc")
        return f"{told['host']}:{told['service']}"

    def power_cut(self) -> None:
        """Off, this instant: nothing of what the guest has not written comes onto the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def shut_down(self, seconds: float = 120) -> None:
        """Let the guest shut itself down, and wait until it is off.

        Raises:
            BootError: it is still on after this time.
        """
        assert self._process is not None
        with contextlib.suppress(BootError):  # it may be off already
            if self.console.is_logged_in:
                self.console.send_line("systemctl poweroff || poweroff -f")
            else:
                self._executed("system_powerdown")
        self.wait(seconds, "shutting down")

    def wait(self, seconds: float, doing: str = "waiting for power-off") -> None:
        """Wait until it is off.

        Raises:
            BootError: it is still on after this time.
        """
        if not self.has_ended_within(seconds):
            lines = self.console.last_lines()
            raise ConsoleError(f"{doing}: still on after {seconds:.0f} s", lines)

    def has_ended_within(self, seconds: float) -> bool:
        """Wait so long at most; returns whether it is off."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def diagnosis(self) -> str:
        """Why nothing more will come of it; empty: it runs."""
        if self._process is None or self._process.poll() is not None:
            return self._ending()
        with contextlib.suppress(BootError):
            if self._executed("query-status")["status"] == "io-error":
                return f"the guest stands still, as the disk that {self._disk} is on is full: free some space"
        return ""

    def _start(self, command: list[str], descriptors: tuple[int, ...]) -> subprocess.Popen[bytes]:
        with self._said().open("wb") as said:
            return subprocess.Popen(
                [*_DIES_WITH_US, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=descriptors,
                # Ctrl-C is for us; what becomes of the machine then, we say.
                start_new_session=True,
            )

    def _greet(self) -> None:
        assert self._control is not None
        try:
            self._control.greet()
        except BootError as error:
            self.__exit__(None, None, None)
            raise BootError(self._ending()) from error
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def _executed(self, command: str, **parameters: object) -> Any:
        assert self._control is not None
        return self._control.execute(command, **parameters)

    def _dump(self, file: Path, kind: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._executed("screendump", filename=str(file.resolve()), format=kind)

    def last_words(self) -> str:
        """What QEMU itself said last; empty: nothing."""
        with contextlib.suppress(FileNotFoundError):
            lines = self._said().read_text(errors="replace").strip().splitlines()
            own = [line for line in lines if line.startswith(programs.QEMU)]  # others are remarks
            return (own or lines or [""])[-1].removeprefix(f"{programs.QEMU}: ")
        return ""

    def _ending(self) -> str:
        return f"QEMU has ended ({self.last_words() or 'it said nothing'})"

    def _said(self) -> Path:
        return self._folder / "qemu.log"


def _socket_pairs(*names: str) -> tuple[dict[str, socket.socket], dict[str, socket.socket]]:
    pairs = {name: socket.socketpair() for name in names}
    return (
        {name: pair[0] for name, pair in pairs.items()},
        {name: pair[1] for name, pair in pairs.items()},
    )
