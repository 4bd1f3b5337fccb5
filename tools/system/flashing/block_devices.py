"""The machine's disks as the kernel's /sys shows them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")
_SECTOR: Final = 512  # /sys counts in these whatever the device's own are
_NO_CARDS: Final = ("loop", "ram", "zram", "dm-", "md", "nbd", "sr", "fd")


class Connection(enum.StrEnum):
    """How a device is attached."""

    CARD = "card reader"
    USB = "USB"
    REMOVABLE = "removable"
    LOOP = "loop"
    BUILT_IN = "built in"


@dataclass(frozen=True, slots=True)
class Node:
    """A disk or one of its partitions, and what it stands on."""

    name: str
    number: str
    """MAJOR:MINOR"""
    disk: str
    """The whole disk's name; its own for a disk."""
    mapped_name: str = ""
    """In /dev/mapper."""
    below: tuple[str, ...] = ()
    """Names of the nodes that it is made of, for LVM, encryption and RAID."""
    backing_file: str = ""
    """Of a loop device."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A whole disk."""

    name: str
    bytes: int
    model: str
    connection: Connection
    read_only: bool
    nodes: tuple[Node, ...]
    """Itself, then its partitions."""

    @property
    def path(self) -> Path:
        """In /dev."""
        return Path("/dev", self.name)

    @property
    def is_removable(self) -> bool:
        """Whether it is a card or a stick."""
        return self.connection in {Connection.CARD, Connection.USB, Connection.REMOVABLE}


def read_disks(sys: Path = SYS) -> list[Disk]:
    """All disks, by name."""
    return [_disk(folder) for folder in sorted((sys / "block").iterdir())]


def _disk(folder: Path) -> Disk:
    partitions = sorted(entry.parent for entry in folder.glob("*/partition"))
    return Disk(
        name=folder.name,
        bytes=int(_word(folder / "size") or 0) * _SECTOR,
        model=_model(folder),
        connection=_connection(folder),
        read_only=_word(folder / "ro") == "1",
        nodes=(_node(folder, folder.name), *(_node(one, folder.name) for one in partitions)),
    )


def _node(folder: Path, disk: str) -> Node:
    slaves = folder / "slaves"
    return Node(
        name=folder.name,
        number=_word(folder / "dev"),
        disk=disk,
        mapped_name=_word(folder / "dm/name"),
        below=tuple(sorted(one.name for one in slaves.iterdir())) if slaves.is_dir() else (),
        backing_file=_word(folder / "loop/backing_file").removesuffix(" (deleted)"),
    )


def _model(folder: Path) -> str:
    words = [_word(folder / "device" / name) for name in ("vendor", "model", "name")]
    return " ".join(word for word in words if word) or "-"


def _connection(folder: Path) -> Connection:
    if folder.name.startswith("loop"):
        return Connection.LOOP
    if folder.name.startswith(_NO_CARDS):
        return Connection.BUILT_IN
    if folder.name.startswith("mmcblk"):
        # Soldered memory is "MMC", and so are the boot areas that it shows as disks of their own.
        return Connection.CARD if _word(folder / "device/type") == "SD" else Connection.BUILT_IN
    where = folder.resolve().parts
    if any(part.startswith("usb") for part in where):
        return Connection.USB
    return Connection.REMOVABLE if _word(folder / "removable") == "1" else Connection.BUILT_IN


def _word(file: Path) -> str:
    """The file's text; empty where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
