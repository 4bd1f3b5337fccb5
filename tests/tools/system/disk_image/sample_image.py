"""A small image with the product's layout: boot, root, and a data partition that nothing is written to."""

from __future__ import annotations

import bz2
import hashlib
import struct
from pathlib import Path
from typing import Final, NamedTuple

MIB: Final = 2**20
BLOCK: Final = 4096
IMAGE_BYTES: Final = 24 * MIB
DATA_START: Final = 16 * MIB
DISK_ID: Final = 0x76617374
PARTITIONS: Final = ((0x0C, MIB, 3 * MIB), (0x83, 4 * MIB, 12 * MIB), (0x83, DATA_START, 8 * MIB))


class Sample(NamedTuple):
    """An image in a folder of its own."""

    plain: Path
    compressed: Path
    bmap: Path
    ranges: list[tuple[int, int]]
    """Start and length of what is mapped."""

    @property
    def content(self) -> bytes:
        return self.plain.read_bytes()


def mbr(partitions: tuple[tuple[int, int, int], ...] = PARTITIONS, disk_id: int = DISK_ID) -> bytes:
    sector = bytearray(512)
    struct.pack_into("<I", sector, 440, disk_id)
    for index, (kind, start, length) in enumerate(partitions):
        struct.pack_into(
            "<B3xB3xII", sector, 446 + 16 * index, 0, kind, start // 512, length // 512
        )
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def make_sample(
    folder: Path, name: str = "sample", seed: int = 0, extra: tuple[int, ...] = ()
) -> Sample:
    """Args: extra: offsets of further mapped blocks."""
    content = bytearray(IMAGE_BYTES)
    content[:512] = mbr()
    # The second is longer than what is written at a time and no multiple of it.
    ranges = [(0, BLOCK), (MIB, MIB // 2), (4 * MIB, 5 * MIB), (12 * MIB, 3 * BLOCK)]
    ranges += [(offset, BLOCK) for offset in extra]
    for start, length in ranges[1:]:
        content[start : start + length] = _text(seed, start, length)
    plain = folder / f"{name}.wic"
    plain.write_bytes(content)
    compressed = folder / f"{name}.wic.bz2"
    compressed.write_bytes(bz2.compress(content, 1))
    bmap = folder / f"{name}.wic.bmap"
    bmap.write_bytes(bmap_text(bytes(content), ranges))
    return Sample(plain, compressed, bmap, ranges)


def _text(seed: int, start: int, length: int) -> bytes:
    """Sixteen bytes that say where they belong, again and again; packs faster than noise."""
    places = range(start, start + length, 16)
    return b"".join(b"%04x%011x\n" % (seed, place) for place in places)


def bmap_text(content: bytes, ranges: list[tuple[int, int]], version: str = "2.0") -> bytes:
    """As bmaptool writes it, without its comments."""
    lines = []
    mapped = 0
    for start, length in ranges:
        first, last = start // BLOCK, (start + length - 1) // BLOCK
        blocks = str(first) if first == last else f"{first}-{last}"
        digest = hashlib.sha256(content[start : start + length]).hexdigest()
        lines.append(f'        <Range chksum="{digest}"> {blocks} </Range>')
        mapped += last - first + 1
    count = -(-len(content) // BLOCK)
    text = f"""<?xml version="1.0" ?>
<bmap version="{version}">
    <ImageSize> {len(content)} </ImageSize>
    <BlockSize> {BLOCK} </BlockSize>
    <BlocksCount> {count} </BlocksCount>
    <MappedBlocksCount> {mapped}  </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {"0" * 64} </BmapFileChecksum>
    <BlockMap>
{chr(10).join(lines)}
    </BlockMap>
</bmap>
"""
    return seal(text)


def seal(text: str) -> bytes:
    """Give a block map its own checksum."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text.replace("0" * 64, digest, 1).encode()
