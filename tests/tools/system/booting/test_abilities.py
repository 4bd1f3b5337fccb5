"""What an installed QEMU can do: a script stands for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.system.booting import abilities
from tools.system.booting.settings import BOARD, Settings

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Programs that print a text; no others are installed."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, text: str, status: int = 0) -> None:
        file = tmp_path / name
        file.write_text(
            f"#!/bin/sh\nwhile read -r l; do echo $l; done <<'E'\n{text}\nE\nexit {status}\n"
        )
        file.chmod(0o755)

    return put


def test_no_qemu(install: Install) -> None:
    message = (
        "qemu-system-aarch64 is not installed: "
        "run tools/setup/install_packages.sh @tools/setup/packages/boot"
    )
    with pytest.raises(ConfigurationError, match=message):
        abilities.settled(Settings())


def test_nothing_special_needs_nothing(install: Install) -> None:
    install("qemu-system-aarch64", "")
    assert abilities.settled(Settings(processors=1)) == Settings(processors=1)


def test_board(install: Install) -> None:
    install("qemu-system-aarch64", "raspi3b   Raspberry Pi 3B\nnot raspi4b")
    with pytest.raises(ConfigurationError, match=r"no raspi4b, which comes with QEMU 9.0: .*virt"):
        abilities.settled(Settings(machine=BOARD))
    install("qemu-system-aarch64", "raspi4b   Raspberry Pi 4B (revision 1.5)")
    assert abilities.settled(Settings(machine=BOARD)).machine == BOARD


@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_window(install: Install, monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    install("qemu-system-aarch64", "none\nsdl")
    with pytest.raises(ConfigurationError, match=r"no display for a window .* --display vnc"):
        abilities.settled(Settings(display="window"))
    monkeypatch.setenv(display, ":0")
    assert abilities.settled(Settings(display="window")).display == "sdl"
    install("qemu-system-aarch64", "none\nsdl\ngtk")
    assert abilities.settled(Settings(display="window")).display == "gtk"
    install("qemu-system-aarch64", "none")
    with pytest.raises(
        ConfigurationError, match=r"opens no window: run tools/setup/install_packages.sh"
    ):
        abilities.settled(Settings(display="window"))


def test_sound(install: Install) -> None:
    install("qemu-system-aarch64", "none\nwav")
    abilities.settled(Settings(sound="wav:/a"))
    with pytest.raises(
        ConfigurationError, match="cannot play into pa: run tools/setup/install_pack"
    ):
        abilities.settled(Settings(sound="pa"))


def test_pulseaudio(install: Install) -> None:
    assert not abilities.has_pulseaudio()
    install("pactl", "", 1)
    assert not abilities.has_pulseaudio()
    install("pactl", "")
    assert abilities.has_pulseaudio()
