"""Tells the GUI from a console and from a dark screen."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tools.system.booting.boot_error import BootError

_HEADER: Final = re.compile(rb"P6\s+(\d+)\s+(\d+)\s+255\s")
_DRAWN: Final = 0.5
"""Share of the pixels; a console, and a screen before its driver, are black but for the letters."""


def is_drawn(pixmap: bytes) -> bool:
    """Whether a picture shows a surface; the GUI's darkest one is not wholly black.

    Args:
        pixmap: PPM.

    Raises:
        BootError: it is none.
    """
    header = _HEADER.match(pixmap)
    if header is None:
        raise BootError("QEMU's picture of the screen cannot be read: use another version of QEMU")
    pixels = np.frombuffer(pixmap, np.uint8, offset=header.end()).reshape(-1, 3)
    return float(pixels.any(axis=1).mean()) >= _DRAWN
