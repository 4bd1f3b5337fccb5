"""What the installed QEMU can do, and what is to be done where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from typing import Final

from rtap.errors import ConfigurationError
from tools.system.booting import programs
from tools.system.booting.settings import BOARD, VIRTUAL, Settings

_TOOLKITS: Final = ("gtk", "sdl")
_PULSE_SECONDS: Final = 5


def settled(settings: Settings) -> Settings:
    """The same settings, with the window's toolkit chosen.

    Raises:
        ConfigurationError: QEMU is not installed or cannot do that.
    """
    qemu = programs.require(programs.QEMU)
    if settings.machine == BOARD and BOARD not in _listed(qemu, "-machine"):
        raise ConfigurationError(
            f"this QEMU has no {BOARD}, which comes with QEMU 9.0: install a newer one, or use --machine "
            f"{VIRTUAL}, which boots the same image"
        )
    driver = settings.sound.partition(":")[0]
    if driver != "none" and driver not in _listed(qemu, "-audiodev"):
        raise ConfigurationError(
            f"this QEMU cannot play into {driver}: run {programs.INSTALL}, or use --sound none"
        )
    if settings.display != "window":
        return settings
    return replace(settings, display=_toolkit(qemu))


def has_pulseaudio() -> bool:
    """Whether a PulseAudio server, or one that speaks like it, answers."""
    if shutil.which("pactl") is None:
        return False
    try:
        done = subprocess.run(
            ["pactl", "info"], capture_output=True, check=False, timeout=_PULSE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _toolkit(qemu: str) -> str:
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise ConfigurationError(
            "there is no display for a window (DISPLAY is not set): use --display vnc"
        )
    listed = _listed(qemu, "-display")
    for toolkit in _TOOLKITS:
        if toolkit in listed:
            return toolkit
    raise ConfigurationError(
        f"this QEMU opens no window: run {programs.INSTALL}, or use --display vnc"
    )


def _listed(qemu: str, option: str) -> set[str]:
    """The first words of what QEMU lists as values of an option."""
    done = subprocess.run([qemu, option, "help"], capture_output=True, text=True, check=False)
    return {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
