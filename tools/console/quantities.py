"""Sizes as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((10**9, "GB", 1), (10**6, "MB", 1), (10**3, "kB", 0))


def size(count: float) -> str:
    """Bytes in decimal units, as cards are sold: 31914983424 is 31.9 GB."""
    for factor, unit, digits in _UNITS:
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{count:.0f} bytes"


def position(offset: int) -> str:
    """A place on a medium, exactly and roughly."""
    return f"byte {offset} ({offset / 2**20:.1f} MiB)"
