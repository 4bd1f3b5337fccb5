"""Whether the data on a card survives."""

from __future__ import annotations

import pytest

from tests.tools.system.disk_image.sample_image import (
    BLOCK,
    DATA_START,
    DISK_ID,
    IMAGE_BYTES,
    MIB,
    PARTITIONS,
    bmap_text,
    mbr,
)
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.partition_table import read_table
from tools.system.flashing.data_partition import DataPartition, Fate, fate, find

CONTENT = bytes(IMAGE_BYTES)
TABLE = read_table(mbr())
DATA = DataPartition(3, DATA_START, DISK_ID)


def bmap(last: int) -> Bmap:
    """A map whose last mapped block begins at ``last``."""
    return Bmap.parse(bmap_text(CONTENT, [(0, BLOCK), (last, BLOCK)]), "x")


def test_is_the_last_partition() -> None:
    assert find(TABLE, bmap(MIB)) == DATA


def test_block_right_before_it_is_not_its_own() -> None:
    assert find(TABLE, bmap(DATA_START - BLOCK)) == DATA


@pytest.mark.parametrize("last", [DATA_START, DATA_START + MIB])
def test_partition_that_is_written_to_holds_no_data(last: int) -> None:
    assert find(TABLE, bmap(last)) is None


def test_needs_table_and_map() -> None:
    assert find(None, bmap(MIB)) is None
    assert find(TABLE, None) is None


ELSEWHERE = (*PARTITIONS[:2], (0x83, DATA_START + MIB, MIB))
GROWN = (*PARTITIONS[:2], (0x83, DATA_START, 400 * MIB))


@pytest.mark.parametrize(
    ("medium", "what"),
    [
        (mbr(), Fate.KEPT),
        (mbr(GROWN), Fate.KEPT),
        (mbr(ELSEWHERE), Fate.LOST),
        (mbr(disk_id=1), Fate.ABSENT),
        (mbr(()), Fate.ABSENT),
        (bytes(512), Fate.ABSENT),
    ],
    ids=["same", "grown on the device", "elsewhere", "another product", "no partitions", "new"],
)
def test_fate(medium: bytes, what: Fate) -> None:
    assert fate(TABLE, DATA, read_table(medium)) is what


def test_image_that_writes_over_it_loses_it() -> None:
    assert fate(TABLE, None, read_table(mbr())) is Fate.LOST
