"""Writes /etc/ld.so.cache, which says where libraries are.

sounddevice asks ldconfig for PortAudio, and ldconfig reads this file. It would write it too, but only for the
processor that it runs on.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Final

from tools.system.container.architecture import Architecture

_MAGIC: Final = b"glibc-ld.so.cache1.1"
_LITTLE_ENDIAN: Final = 2
_HEADER: Final = struct.Struct("<20sIIB3xI12x")
_ENTRY: Final = struct.Struct("<iIIIQ")
_LIBRARY: Final = re.compile(r"lib.+\.so\.[0-9]+")
"""A name that programs ask for; those with more than a number are what it points to."""


def write_loader_cache(root: Path, architecture: Architecture) -> None:
    """List the libraries in Debian's folders under ``root``."""
    found: dict[str, str] = {}
    for folder in (f"lib/{architecture.triplet}", f"usr/lib/{architecture.triplet}"):
        for path in (root / folder).glob("*.so.*"):
            if _LIBRARY.fullmatch(path.name):
                found.setdefault(path.name, f"/{folder}/{path.name}")
    # The loader searches by halving, from the highest name down.
    names = sorted(found, key=_order, reverse=True)
    texts = bytearray()
    texts_at = _HEADER.size + len(names) * _ENTRY.size
    entries = bytearray()
    for name in names:
        places = []
        for text in (name, found[name]):
            places.append(texts_at + len(texts))
            texts += text.encode() + b"\0"
        entries += _ENTRY.pack(architecture.cache_flag, *places, 0, 0)
    header = _HEADER.pack(_MAGIC, len(names), len(texts), _LITTLE_ENDIAN, 0)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/ld.so.cache").write_bytes(header + entries + texts)


def _order(name: str) -> list[tuple[int, int]]:
    """Order of names, as glibc has it: numbers by value, and after all other characters."""
    return [
        (1, int(part)) if part.isdecimal() else (0, ord(part))
        for part in re.findall(r"[0-9]+|[^0-9]", name)
    ]
