"""Settings and history on a card: where they are, and what a flash means for them.

The image's last partition is there for the device's data. The block map names none of its blocks, so
writing only what is mapped leaves it as it is; the device lets it grow to the card's end, so all that lies
behind its beginning belongs to it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.partition_table import PartitionTable
from tools.system.flashing.identity import is_same_product


class Fate(enum.StrEnum):
    """What becomes of the data that is on a medium."""

    KEPT = "kept"
    ABSENT = "absent"
    """There is none of ours."""
    LOST = "lost"
    """The image has its data elsewhere, or overwrites it."""
    ERASED = "erased"
    """On request."""


@dataclass(frozen=True, slots=True)
class DataPartition:
    """The partition of the image that no byte is written to."""

    number: int
    start: int
    disk_id: int


def find(table: PartitionTable | None, bmap: Bmap | None) -> DataPartition | None:
    """The image's data partition; None: it has none, or writes into it."""
    if table is None or bmap is None or not table.partitions:
        return None
    last = max(table.partitions, key=lambda one: one.start)
    if last.start < bmap.mapped_end:
        return None
    return DataPartition(last.number, last.start, table.disk_id)


def fate(
    image: PartitionTable | None, data: DataPartition | None, medium: PartitionTable | None
) -> Fate:
    """What writing the image does to the data on a medium.

    Args:
        image: what the image's first sector says.
        data: the image's data partition.
        medium: what the medium's first sector says now.
    """
    if image is None or medium is None or not is_same_product(medium.disk_id, image.disk_id):
        return Fate.ABSENT
    if data is None:
        return Fate.LOST
    before = max(medium.partitions, key=lambda one: one.start, default=None)
    if before is None:
        return Fate.ABSENT
    return Fate.KEPT if before.start == data.start else Fate.LOST
