"""Builds the GUI and its tests with CMake, once for all who want them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from tools.gui.gui_error import GuiError
from tools.process import folder_lock
from tools.root import CACHE, ROOT

FOLDER: Final = CACHE / "gui"
"""Kept, so that the next build only does what is new."""
APPLICATION: Final = FOLDER / "gui/qt6-voice-assistant"
_TESTS: Final = ROOT / "tests/gui"


def locked() -> AbstractContextManager[None]:
    """Wait until nobody else builds here: two of Ninja cannot share a folder."""
    return folder_lock.locked(FOLDER, waits=True)


def configure() -> None:
    """Let CMake write the build.

    Raises:
        GuiError: CMake, or what it looks for, is missing.
    """
    if shutil.which("cmake") is None:
        raise GuiError("cmake is missing: apt-get install cmake")
    options = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DWARNINGS_AS_ERRORS=ON"]
    _run(["cmake", "-S", str(_TESTS), "-B", str(FOLDER), *options])


def build(target: str) -> None:
    """Build a target, and configure again what has changed.

    Raises:
        GuiError: it cannot be built.
    """
    if not (FOLDER / "build.ninja").exists():
        configure()
    _run(["cmake", "--build", str(FOLDER), "--target", target])


def application() -> Path:
    """The program, up to date.

    Raises:
        GuiError: it cannot be built.
    """
    build(APPLICATION.name)
    return APPLICATION


def _run(command: Sequence[str]) -> None:
    with locked():
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    if done.returncode:
        told = [line for line in done.stdout.splitlines() if not line.startswith("[")]
        shown = "\n".join(told[-40:])
        raise GuiError(f"`{' '.join(command)}` failed:\n{shown}")
