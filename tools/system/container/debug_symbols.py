"""Takes the debugging information out of compiled code, without binutils for its processor.

What is loaded into memory comes first in a shared library, the rest behind it. So the file is cut off after
the last byte that is loaded, and the table of sections, which only linkers and debuggers read, goes with it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_MAGIC: Final = b"\x7fELF\x02\x01"
"""64 bits, little-endian."""
_SECTIONS_AT: Final = 0x28
_SECTION_COUNTS_AT: Final = 0x3C
_ALLOCATED: Final = 0x2
_NO_BITS: Final = 8


def cut_debug_symbols(file: Path, at_least: int = 65_536) -> int:
    """Shorten a library in place.

    Args:
        at_least: what is not worth this many bytes is left alone.

    Returns:
        The number of bytes that were saved.
    """
    data = file.read_bytes()
    if not data.startswith(_MAGIC):
        return 0
    end = _end_of_loaded(data)
    saved = len(data) - end
    if saved < at_least:
        return 0
    header = bytearray(data[:end])
    struct.pack_into("<Q", header, _SECTIONS_AT, 0)
    struct.pack_into("<HH", header, _SECTION_COUNTS_AT, 0, 0)
    file.write_bytes(header)
    return saved


def _end_of_loaded(data: bytes) -> int:
    """Behind the last byte that a section or a segment puts into memory."""
    program_at, sections_at = struct.unpack_from("<QQ", data, 0x20)
    program_size, programs, section_size, sections = struct.unpack_from("<HHHH", data, 0x36)
    end: int = program_at + program_size * programs
    for number in range(programs):
        offset, _, _, size = struct.unpack_from(
            "<QQQQ", data, program_at + number * program_size + 8
        )
        end = max(end, offset + size)
    for number in range(sections):
        kind, flags, _, offset, size = struct.unpack_from(
            "<IQQQQ", data, sections_at + number * section_size + 4
        )
        if flags & _ALLOCATED and kind != _NO_BITS:
            end = max(end, offset + size)
    return end
