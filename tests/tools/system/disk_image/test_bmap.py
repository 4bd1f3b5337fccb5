"""Block maps: what is read, and everything that makes one unusable."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.disk_image.sample_image import BLOCK, IMAGE_BYTES, Sample, bmap_text, seal
from tools.system.disk_image.bmap import Bmap

CONTENT = bytes(range(256)) * 16 * 10 + b"end"  # ten blocks and a bit


def text(ranges: list[tuple[int, int]] | None = None) -> str:
    return bmap_text(CONTENT, ranges or [(0, BLOCK), (2 * BLOCK, 3 * BLOCK)]).decode()


def resealed(old: str, new: str) -> bytes:
    """A changed map with a right checksum of its own."""
    before = text()
    assert old in before
    digest = before.partition("<BmapFileChecksum> ")[2][:64]
    return seal(before.replace(digest, "0" * 64).replace(old, new, 1))


def test_ranges_in_bytes(sample: Sample) -> None:
    bmap = Bmap.parse(sample.bmap.read_bytes(), "x.bmap")
    assert [(one.start, one.length) for one in bmap.ranges] == sample.ranges
    assert bmap.image_bytes == IMAGE_BYTES
    assert bmap.mapped_bytes == sum(length for _, length in sample.ranges)
    assert bmap.mapped_end == sum(sample.ranges[-1])


def test_last_block_ends_with_the_image() -> None:
    bmap = Bmap.parse(bmap_text(CONTENT, [(10 * BLOCK, 3)]), "x.bmap")
    assert (bmap.ranges[0].length, bmap.mapped_end) == (3, len(CONTENT))


@pytest.mark.skipif(shutil.which("bmaptool") is None, reason="bmaptool is not installed")
def test_reads_what_bmaptool_writes(sample: Sample, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.wic"
    with sparse.open("wb") as file:
        file.truncate(IMAGE_BYTES)
        for start, length in sample.ranges:
            file.seek(start)
            file.write(sample.content[start : start + length])
    subprocess.run(["bmaptool", "-q", "create", str(sparse), "-o", f"{sparse}.bmap"], check=True)
    made = Bmap.parse(Path(f"{sparse}.bmap").read_bytes(), "made.bmap")
    assert made == Bmap.parse(sample.bmap.read_bytes(), "ours.bmap")


def test_own_checksum_covers_every_byte() -> None:
    right = bmap_text(CONTENT, [(0, BLOCK)])
    wrong = right.replace(b"<ImageSize> ", b"<ImageSize>  ")
    with pytest.raises(ConfigurationError, match=r"own checksum does not match.*fetch"):
        Bmap.parse(wrong, "x.bmap")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('version="2.0"', 'version="1.4"', "version 1.4"),
        ("sha256 </ChecksumType", "md5 </ChecksumType", "type md5"),
        ("<BlocksCount> 11", "<BlocksCount> 12", "counts of blocks"),
        ("<MappedBlocksCount> 4", "<MappedBlocksCount> 5", "counts of blocks"),
        ("<BlockSize> 4096", "<BlockSize> 100", "blocks of 100"),
        ("<BlockSize> 4096", "<BlockSize> four", "not a number"),
        (" 2-4 </Range>", " 0-4 </Range>", "out of order"),
        (" 2-4 </Range>", " 40-44 </Range>", "outside the image"),
        (" 2-4 </Range>", " 4-2 </Range>", "out of order"),
        (" 2-4 </Range>", " -4 </Range>", "has no blocks"),
        ("chksum=", "other=", "no checksum"),
        ("ImageSize>", "Size>", "mismatched"),
        ("<?xml", "<!DOCTYPE bmap><?xml", "document type"),
    ],
)
def test_refuses(old: str, new: str, fault: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"^x.bmap is no usable block map.*{fault}.*bmaptool"
    ):
        Bmap.parse(resealed(old, new), "x.bmap")


def test_refuses_a_map_of_nothing() -> None:
    empty = text([(0, BLOCK)]).replace("Range", "Other")
    digest = empty.partition("<BmapFileChecksum> ")[2][:64]
    with pytest.raises(ConfigurationError, match="names no range"):
        Bmap.parse(seal(empty.replace(digest, "0" * 64)), "x.bmap")


def test_refuses_what_is_no_xml() -> None:
    with pytest.raises(ConfigurationError, match="no usable block map"):
        Bmap.parse(b"BZh91AY", "x.bmap")
