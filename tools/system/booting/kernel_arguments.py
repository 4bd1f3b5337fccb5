"""The kernel's command line: what of the board's own holds for QEMU's machine, and what replaces the rest."""

from __future__ import annotations

import re
from typing import Final

CONSOLE: Final = "console=ttyAMA0"
"""The serial port of QEMU's ``virt``. The last console is the one that systemd writes to."""

_ONLY_ON_THE_BOARD: Final = re.compile(
    r"console=(serial|ttyS|ttyAMA)\d.*|(kgdboc|earlycon|root)=.*|earlycon"
    r"|(8250|dwc_otg|dwc2|bcm2\d+_\w+|snd_bcm2835|smsc95xx|vc_mem|brcmfmac|coherent_pool)[.=].*"
)


def from_board(cmdline: str, root: str) -> str:
    """A board's cmdline.txt for QEMU.

    Args:
        root: where the root is, for ``root=``; the board's own may name a device that is not there.
    """
    kept = [word for word in cmdline.split() if not _ONLY_ON_THE_BOARD.fullmatch(word)]
    return " ".join([f"root={root}", *kept, CONSOLE])


def for_root(root: str) -> str:
    """The command line of an image without cmdline.txt."""
    return f"root={root} rootfstype=ext4 rootwait ro {CONSOLE}"


def partition_uuid(disk_id: int, number: int) -> str:
    """What the kernel calls a partition of an MBR disk."""
    return f"PARTUUID={disk_id:08x}-{number:02x}"
