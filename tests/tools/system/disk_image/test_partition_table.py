from __future__ import annotations

import struct

import pytest

from tests.tools.system.disk_image.sample_image import DATA_START, DISK_ID, MIB, mbr
from tools.system.disk_image.partition_table import Partition, read_table


def test_reads_an_mbr() -> None:
    table = read_table(mbr())
    assert table is not None
    assert table.disk_id == DISK_ID
    assert table.partition(3) == Partition(3, DATA_START, 8 * MIB)
    assert table.partition(4) is None


def test_skips_unused_entries_but_keeps_numbers() -> None:
    table = read_table(mbr(((0, 0, 0), (0x83, MIB, MIB))))
    assert table is not None
    assert table.partitions == (Partition(2, MIB, MIB),)


def test_start_beyond_two_gigabytes() -> None:
    sector = bytearray(mbr())
    struct.pack_into("<I", sector, 446 + 8, 0xF0000000)
    table = read_table(bytes(sector))
    assert table is not None
    assert table.partitions[0].start == 0xF0000000 * 512


@pytest.mark.parametrize(
    "sector",
    [b"", bytes(512), mbr()[:511], mbr(((0xEE, 512, MIB),))],
    ids=["empty", "zeros", "short", "before a GPT"],
)
def test_no_table(sector: bytes) -> None:
    assert read_table(sector) is None
