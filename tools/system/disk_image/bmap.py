"""The block map beside an image: which of its bytes have to be written, and their checksums.

bmaptool's own library would read it, too, but it is GPL-2, cannot say where a medium differs and is not
packaged for Python's package index; what is needed of the format (version 2) are these few lines.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, NoReturn
from xml.etree import ElementTree as ET

from rtap.errors import ConfigurationError

_CHECKSUMS: Final = ("sha256", "sha512")
_HEX: Final = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Range:
    """Consecutive bytes of an image that matter."""

    start: int
    length: int
    digest: str

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Bmap:
    """A block map; its ranges are in order and do not overlap."""

    image_bytes: int
    block_bytes: int
    checksum: str
    """Name of the hash function."""
    ranges: tuple[Range, ...]

    @property
    def mapped_bytes(self) -> int:
        """How much has to be written."""
        return sum(one.length for one in self.ranges)

    @property
    def mapped_end(self) -> int:
        """Nothing is written from here on."""
        return self.ranges[-1].end

    @classmethod
    def parse(cls, content: bytes, name: str) -> Bmap:
        """Read a block map.

        Args:
            name: of the file, for messages.

        Raises:
            ConfigurationError: it is damaged, or of a version that is not read here.
        """
        return _Reader(content, name).read()


class _Reader:
    def __init__(self, content: bytes, name: str) -> None:
        self._content = content
        self._name = name
        # Entities could make a small file endless; a block map has none.
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            self._refuse("it has a document type")
        try:
            self._root = ET.fromstring(content)  # noqa: S314 (without a document type it is harmless)
        except ET.ParseError as error:
            self._refuse(str(error))

    def read(self) -> Bmap:
        version = self._root.get("version", "")
        if self._root.tag != "bmap" or version.split(".")[0] != "2":
            self._refuse(f"version {version or 'unknown'}, not 2.0")
        checksum = self._text("ChecksumType")
        if checksum not in _CHECKSUMS:
            self._refuse(f"checksums of the type {checksum}, not {' or '.join(_CHECKSUMS)}")
        self._verify_itself(checksum)
        image_bytes = self._number("ImageSize")
        block_bytes = self._number("BlockSize")
        if image_bytes < 1 or block_bytes < 512 or block_bytes % 512:
            self._refuse(f"an image of {image_bytes} bytes in blocks of {block_bytes}")
        bmap = Bmap(image_bytes, block_bytes, checksum, self._ranges(image_bytes, block_bytes))
        self._verify_counts(bmap)
        return bmap

    def _verify_itself(self, checksum: str) -> None:
        stated = self._text("BmapFileChecksum")
        digits = stated.encode()
        if self._content.count(digits) != 1:
            self._refuse("its own checksum is not there exactly once")
        found = hashlib.new(checksum, self._content.replace(digits, b"0" * len(digits))).hexdigest()
        if not hmac.compare_digest(found, stated):
            self._refuse("its own checksum does not match")

    def _verify_counts(self, bmap: Bmap) -> None:
        blocks = -(-bmap.image_bytes // bmap.block_bytes)
        mapped = sum(-(-one.length // bmap.block_bytes) for one in bmap.ranges)
        if (self._number("BlocksCount"), self._number("MappedBlocksCount")) != (blocks, mapped):
            self._refuse("its counts of blocks do not match its ranges")

    def _ranges(self, image_bytes: int, block_bytes: int) -> tuple[Range, ...]:
        ranges: list[Range] = []
        for element in self._root.iterfind("BlockMap/Range"):
            words = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", element.text or "")
            digest = element.get("chksum", "")
            if words is None or not _HEX.fullmatch(digest):
                self._refuse(
                    f"the range {(element.text or '').strip()!r} has no blocks or no checksum"
                )
            first, last = int(words[1]), int(words[2] or words[1])
            start = first * block_bytes
            end = min((last + 1) * block_bytes, image_bytes)
            if start >= end or (ranges and start < ranges[-1].end):
                self._refuse(f"the range {first}-{last} is out of order or outside the image")
            ranges.append(Range(start, end - start, digest))
        if not ranges:
            self._refuse("it names no range")
        return tuple(ranges)

    def _number(self, tag: str) -> int:
        text = self._text(tag)
        if not text.isdecimal():
            self._refuse(f"{tag} is {text!r}, not a number")
        return int(text)

    def _text(self, tag: str) -> str:
        return (self._root.findtext(tag) or "").strip() or self._refuse(f"{tag} is missing")

    def _refuse(self, fault: str) -> NoReturn:
        raise ConfigurationError(
            f"{self._name} is no usable block map ({fault}): fetch the image and its .bmap again, "
            "or make one with `bmaptool create IMAGE`"
        )
