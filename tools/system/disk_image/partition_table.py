"""The partitions that a disk's first sector names; ours have an MBR, which every Pi 4's boot ROM knows."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

SECTOR: Final = 512
DISK_ID_OFFSET: Final = 440
"""Of the disk's identity in the first sector, a little-endian number of four bytes."""
_TABLE: Final = 446
_ENTRY: Final = struct.Struct("<B3xB3xII")
_UNUSED: Final = 0
_PROTECTIVE: Final = 0xEE
"""Stands in the MBR of a disk with a GPT."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A primary partition, in bytes."""

    number: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """What an MBR says."""

    disk_id: int
    partitions: tuple[Partition, ...]

    def partition(self, number: int) -> Partition | None:
        """The partition of that number."""
        return next((one for one in self.partitions if one.number == number), None)


def read_table(first_sector: bytes) -> PartitionTable | None:
    """None: there is no MBR, or one that only stands before a GPT."""
    if len(first_sector) < SECTOR or first_sector[510:512] != b"\x55\xaa":
        return None
    partitions = []
    for number in range(1, 5):
        at = _TABLE + (number - 1) * _ENTRY.size
        _status, kind, first, count = _ENTRY.unpack_from(first_sector, at)
        if kind == _PROTECTIVE:
            return None
        if kind != _UNUSED and count:
            partitions.append(Partition(number, first * SECTOR, count * SECTOR))
    (disk_id,) = struct.unpack_from("<I", first_sector, DISK_ID_OFFSET)
    return PartitionTable(disk_id, tuple(partitions))
