"""How a machine is to be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

VIRTUAL: Final = "virt"
BOARD: Final = "raspi4b"
DISK_BYTES: Final = 6 * 2**30
_PROCESSORS: Final = 4
"""The board has as many."""


def _processors() -> int:
    return min(_PROCESSORS, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """A machine, by default one that nobody sees or hears."""

    processors: int = field(default_factory=_processors)
    memory_mb: int = 2048
    network: bool = True
    """False: it has no network device at all."""
    append: str = ""
    """Goes to the end of the kernel's command line."""
    sound: str = "none"
    """``none``: it has no sound card. ``pa``, ``alsa`` or ``wav:FILE``: what its card plays into."""
    display: str = "none"
    """``none``, ``window`` or ``vnc``. Its screen is there in any case, for pictures."""
    disk_bytes: int = DISK_BYTES
    other_disk: Path | None = None
    """A second card, a qcow2 that is only read. The system sees it before its own, as can happen with one in
    a USB reader."""
    ports: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """Which of this machine's ports shall lead to a port of the guest."""
    machine: str = VIRTUAL
    even_time: bool = False
    """The guest's clock counts instructions, not seconds. It takes longer, but by that clock the guest is
    equally quick however busy this machine is, and loses nothing of what its microphone hears."""
