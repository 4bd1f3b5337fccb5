"""ID3v2: names and pictures that stand before the sound of MP3 files, and of some FLAC files."""

from __future__ import annotations

from typing import Final

from rtap.audio.decoding.source import Source

_HEADER: Final = 10
_MOST_TAGS: Final = 16
_HAS_FOOTER: Final = 0x10
_LONGEST_PADDING: Final = 4096


def after_id3(source: Source, start: int = 0) -> int:
    """Where the sound begins: behind all tags at ``start``, and the zeros that some programs add to them."""
    position = start
    for _ in range(_MOST_TAGS):
        head = source.read(position, _HEADER)
        if len(head) < _HEADER or not head.startswith(b"ID3"):
            break
        size = 0
        for byte in head[6:]:  # seven bits of each
            size = size << 7 | byte & 0x7F
        position += _HEADER + size + (_HEADER if head[5] & _HAS_FOOTER else 0)
    if position > start:
        padding = source.read(position, _LONGEST_PADDING)
        position += len(padding) - len(padding.lstrip(b"\0"))
    return position
