"""An X display that nobody sees, and a finger on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.gui.gui_error import GuiError
from tools.process.child import Child


@dataclass(frozen=True, slots=True)
class VirtualDisplay:
    """A display.

    Args:
        name: for the environment variable ``DISPLAY``.
    """

    name: str
    width: int
    height: int

    @property
    def environment(self) -> dict[str, str]:
        """For a Qt program that shall show itself there, drawn by the processor as on every machine."""
        return {"DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb", "QT_QUICK_BACKEND": "software"}

    def press(self, x: float, y: float) -> None:
        """Put the finger down.

        Args:
            x: in pixels.
            y: in pixels.
        """
        self._run("xdotool", "mousemove", str(round(x)), str(round(y)), "mousedown", "1")

    def release(self) -> None:
        """Lift the finger."""
        self._run("xdotool", "mouseup", "1")

    def tap(self, x: float, y: float) -> None:
        """Put the finger down and lift it."""
        self.press(x, y)
        self.release()

    def save(self, file: Path) -> None:
        """Save what the display shows as a PNG."""
        self._run("import", "-window", "root", "-depth", "8", "-strip", f"png24:{file}")

    def _run(self, *command: str) -> None:
        environment = os.environ | {"DISPLAY": self.name}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GuiError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


@contextmanager
def virtual_display(width: int, height: int) -> Iterator[VirtualDisplay]:
    """A display of its own number, without a window manager."""
    reader, writer = os.pipe()
    try:
        options = ["-displayfd", str(writer), "-screen", "0", f"{width}x{height}x24"]
        command = ["Xvfb", *options, "-nolisten", "tcp", "-noreset"]
        with Child(command, pass_fds=(writer,)) as server:
            os.close(writer)
            writer = -1
            with os.fdopen(reader) as answer:
                reader = -1
                number = answer.readline().strip()
            if not number:
                raise GuiError(f"Xvfb did not start: {server.complaint()}")
            yield VirtualDisplay(f":{number}", width, height)
    finally:
        for descriptor in (reader, writer):
            if descriptor >= 0:
                os.close(descriptor)
