"""What a flash is going to do, made and shown before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from rtap.errors import ConfigurationError
from tools.console.quantities import position, size
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import Chunk, ImageFile
from tools.system.disk_image.partition_table import SECTOR, PartitionTable, read_table
from tools.system.flashing.data_partition import DataPartition, Fate, fate, find
from tools.system.flashing.identity import Identity, for_card
from tools.system.flashing.medium import opened
from tools.system.flashing.target import Target, require_room

_DATA: Final = {
    Fate.KEPT: "settings and history stay: nothing from {at} on is written",
    Fate.ABSENT: "none of ours is there; the device makes its data partition at first boot",
    Fate.LOST: "SETTINGS AND HISTORY ARE LOST: this image keeps them elsewhere or writes over them",
    Fate.ERASED: "SETTINGS AND HISTORY ARE ERASED, everything from {at} to the end",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One flash."""

    image: ImageFile
    bmap: Bmap | None
    """None: every byte of the image is written."""
    target: Target
    data: DataPartition | None
    fate: Fate
    identity: Identity | None = None
    """None: the card gets that of the image."""

    @property
    def image_bytes(self) -> int | None:
        """None: only known when all is unpacked."""
        if self.bmap is not None:
            return self.bmap.image_bytes
        return None if self.image.is_compressed else self.image.path.stat().st_size

    @property
    def written_bytes(self) -> int | None:
        """None: as for ``image_bytes``."""
        return self.image_bytes if self.bmap is None else self.bmap.mapped_bytes

    def chunks(self) -> Iterator[Chunk]:
        """What is written."""
        image, bmap = self.image, self.bmap
        chunks = image.all_chunks() if bmap is None else image.mapped_chunks(bmap)
        return chunks if self.identity is None else self.identity.applied(chunks)

    def text(self) -> str:
        """For a person."""
        whole = "" if self.image_bytes is None else f" of {size(self.image_bytes)}"
        part = "all" if self.written_bytes is None else size(self.written_bytes)
        medium = "new" if self.target.bytes is None else size(self.target.bytes)
        where = position(self.data.start) if self.data else ""
        identity = f"{self.identity}, this card's own" if self.identity else "that of the image"
        return (
            f"  image   {self.image.path.name}: {part}{whole} to be written\n"
            f"  device  {self.target.path}: {self.target.model}, {medium}\n"
            f"  disk    identity: {identity}\n"
            f"  data    {_DATA[self.fate].format(at=where)}\n"
        )

    def report(self) -> dict[str, Any]:
        """For a program."""
        return {
            "image": str(self.image.path),
            "device": str(self.target.path),
            "model": self.target.model,
            "device_bytes": self.target.bytes,
            "image_bytes": self.image_bytes,
            "bytes_to_write": self.written_bytes,
            "data": self.fate.value,
            "data_start": self.data.start if self.data else None,
            "disk_id": str(self.identity) if self.identity else None,
        }


def make_plan(
    image: ImageFile,
    bmap: Bmap | None,
    target: Target,
    *,
    is_data_erased: bool,
    has_own_identity: bool = True,
) -> Plan:
    """Look at the image and the medium.

    Args:
        has_own_identity: False: the card gets the disk identity that all copies of the image have.

    Raises:
        ConfigurationError: the image does not fit, or would lose the medium's data without being told to.
        DamagedImageError: the image cannot be unpacked.
    """
    table = read_table(image.head(SECTOR))
    data = find(table, bmap)
    if is_data_erased and data is None:
        raise ConfigurationError(
            "--erase-data: this image has no data partition that can be told from the rest; "
            "leave the option out, or give the image's .bmap"
        )
    what = Fate.ERASED if is_data_erased else fate(table, data, _table_on(target))
    plan = Plan(image, bmap, target, data, what)
    if plan.image_bytes is not None:
        require_room(target, plan.image_bytes)
    return replace(plan, identity=for_card(image, table)) if has_own_identity else plan


def _table_on(target: Target) -> PartitionTable | None:
    if not target.bytes or target.bytes < SECTOR:
        return None
    with opened(target.path, is_block=target.is_block, writable=False) as medium:
        return read_table(medium.read(0, SECTOR))
