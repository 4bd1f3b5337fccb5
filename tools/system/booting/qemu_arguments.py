"""QEMU's command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.process.ports import HOST
from tools.system.booting.programs import QEMU
from tools.system.booting.settings import BOARD, Settings

if TYPE_CHECKING:
    from tools.system.booting.disk import BootFiles

WIDTH: Final = 1280
HEIGHT: Final = 720
_INSTRUCTION_TIME: Final = "shift=0"
"""2^0 ns each: ten times what the emulator needs for sound, a fraction of the board's four cores."""


def arguments(
    boot: BootFiles,
    disk: Path,
    settings: Settings,
    ports: Mapping[int, int],
    lines: Mapping[str, int],
) -> list[str]:
    """The command that is the machine.

    Args:
        ports: this machine's for the guest's.
        lines: file descriptors of the sockets ``serial`` and ``control``.
    """
    command = [QEMU, "-no-user-config", "-nodefaults", "-name", "voice-assistant"]
    command += _lines(lines)
    command += _board(boot, disk) if settings.machine == BOARD else _virtual(disk, settings, ports)
    command += ["-kernel", str(boot.kernel)]
    if boot.initrd is not None:
        command += ["-initrd", str(boot.initrd)]
    return [*command, "-append", f"{boot.command_line} {settings.append}".strip()]


def _lines(lines: Mapping[str, int]) -> list[str]:
    """Sockets that are connected already: no path that is too long, no moment in which nobody listens."""
    return [
        *("-chardev", f"socket,id=serial,fd={lines['serial']}", "-serial", "chardev:serial"),
        *("-chardev", f"socket,id=control,fd={lines['control']}"),
        *("-mon", "chardev=control,mode=control"),
    ]


def _virtual(disk: Path, settings: Settings, ports: Mapping[int, int]) -> list[str]:
    return [
        *("-machine", "virt", "-cpu", "cortex-a72"),
        *("-smp", str(settings.processors), "-m", str(settings.memory_mb)),
        *(("-icount", _INSTRUCTION_TIME) if settings.even_time else ()),
        *_other_disk(settings.other_disk),
        *("-drive", f"if=none,id=disk,format=qcow2,file={_escaped(disk)}"),
        *("-device", "virtio-blk-pci,drive=disk"),
        *("-device", "virtio-rng-pci"),
        *_network(settings, ports),
        *("-device", f"virtio-gpu-pci,edid=on,xres={WIDTH},yres={HEIGHT}"),
        *("-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci"),
        *_display(settings.display),
        *_sound(settings.sound),
    ]


def _other_disk(disk: Path | None) -> list[str]:
    if disk is None:
        return []
    return [
        *("-drive", f"if=none,id=other,format=qcow2,readonly=on,file={_escaped(disk)}"),
        *("-device", "virtio-blk-pci,drive=other"),
    ]


def _board(boot: BootFiles, disk: Path) -> list[str]:
    """The board itself: in QEMU without PCI, network and USB, so good for its serial console only."""
    tree = ["-dtb", str(boot.device_tree)] if boot.device_tree else []
    return [
        *("-machine", BOARD, "-m", "2G", "-smp", "4", "-display", "none"),
        *("-drive", f"if=sd,format=qcow2,file={_escaped(disk)}"),
        *tree,
    ]


def _network(settings: Settings, ports: Mapping[int, int]) -> list[str]:
    if not settings.network:
        return ["-nic", "none"]
    forwards = "".join(f",hostfwd=tcp:{HOST}:{host}-:{guest}" for guest, host in ports.items())
    # No boot from the network, so no ROM for it.
    return ["-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="]


def _display(display: str) -> list[str]:
    if display == "vnc":
        return ["-vnc", f"{HOST}:0,to=99"]
    return ["-display", {"window": "gtk"}.get(display, display)]


def _sound(sound: str) -> list[str]:
    if sound == "none":
        return []
    driver, _, file = sound.partition(":")
    backend = f"{driver},id=sound" + (f",path={_escaped(Path(file))}" if file else "")
    # By itself QEMU looks for a sound server of this user's session only.
    if driver == "pa" and (server := os.environ.get("PULSE_SERVER")):
        backend += f",server={_escaped(Path(server))}"
    return [
        *("-audiodev", backend),
        *("-device", "intel-hda", "-device", "hda-duplex,audiodev=sound"),
    ]


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")
