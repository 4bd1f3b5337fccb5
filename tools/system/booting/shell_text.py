"""Bytes as text that every shell's ``printf %b`` turns back, in lines that every serial console takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_PIECE: Final = 480
"""Characters; the line editor of busybox takes 1024 in a line."""
_PLAIN: Final = frozenset(range(32, 127)) - frozenset(b"\\'")


def pieces(content: bytes) -> Iterator[str]:
    """The content in pieces that can stand between single quotes; at least one."""
    piece: list[str] = []
    length = 0
    for byte in content:
        letter = chr(byte) if byte in _PLAIN else f"\\0{byte:03o}"
        if length + len(letter) > _PIECE:
            yield "".join(piece)
            piece, length = [], 0
        piece.append(letter)
        length += len(letter)
    yield "".join(piece)
