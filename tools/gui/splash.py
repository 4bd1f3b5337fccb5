"""Draws the boot splash for psplash in the night colours of the screen's Theme.qml."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from tools.system.yocto.layer import LAYER

THEME: Final = LAYER / "recipes-gui/qt6-voice-assistant/files/gui/qml/Theme.qml"
PICTURE: Final = "psplash-voice-assistant-img.png"
BAR: Final = "psplash-bar.png"
COLORS: Final = "psplash-colors.h"

Color = tuple[int, int, int]
_Field = NDArray[np.float64]

_NIGHT: Final = re.compile(r'property color (\w+): night \? "#([0-9A-F]{6})"')
_SIZE: Final = 240
"""Pixels of the picture's sides: half the height of the smallest screen, 800 x 480."""
_DISC: Final = 100.0
_GLYPH: Final = 128.0
"""Pixels for the 24 units of a drawing in Icon.qml."""
_BAR: Final = (320, 12)
"""psplash fills all but a border of four pixels."""


def night_colors(theme: str) -> dict[str, Color]:
    """The colours by their names in Theme.qml.

    Raises:
        ConfigurationError: one that is needed is not there.
    """
    found: dict[str, Color] = {}
    for name, digits in _NIGHT.findall(theme):
        red, green, blue = bytes.fromhex(digits)
        found[name] = (red, green, blue)
    wanted = {"background", "surface", "accent", "textOnAccent", "textDim"}
    if missing := sorted(wanted - found.keys()):
        raise ConfigurationError(
            f"Theme.qml has no night colour {', '.join(missing)}: mend it or tools/gui/splash.py"
        )
    return found


def picture(colors: Mapping[str, Color]) -> NDArray[np.uint8]:
    """The microphone on a disc, as the screen's button shows it."""
    x, y = _pixels(_SIZE, _SIZE)
    image = _plain(_SIZE, _SIZE, colors["background"])
    _paint(image, np.hypot(x, y) - _DISC, colors["accent"])
    scale = _GLYPH / 24
    _paint(image, _microphone(x / scale, y / scale) * scale, colors["textOnAccent"])
    return image.round().astype(np.uint8)


def bar(colors: Mapping[str, Color]) -> NDArray[np.uint8]:
    """What the progress bar lies in."""
    width, height = _BAR
    x, y = _pixels(width, height)
    image = _plain(width, height, colors["background"])
    half = (width - height) / 2
    _paint(image, _line(x, y, (-half, 0), (half, 0)) - height / 2, colors["surface"])
    return image.round().astype(np.uint8)


def header(colors: Mapping[str, Color]) -> str:
    """psplash-colors.h."""
    values = {
        "BACKGROUND_COLOR": colors["background"],
        "TEXT_COLOR": colors["textDim"],
        "BAR_COLOR": colors["accent"],
        "BAR_BACKGROUND_COLOR": colors["surface"],
    }
    lines = "".join(
        f"#define PSPLASH_{name} {','.join(f'{part:#04x}' for part in value)}\n"
        for name, value in values.items()
    )
    guard = "_HAVE_PSPLASH_COLORS_H"
    origin = "/* The colours of the voice assistant's screen; tools/splash_image wrote this. */"
    return f"{origin}\n#ifndef {guard}\n#define {guard}\n\n{lines}\n#endif\n"


def write_png(image: NDArray[np.uint8]) -> bytes:
    """As a PNG of three bytes a pixel, which psplash draws without blending."""
    height, width, _ = image.shape
    rows = np.insert(image.reshape(height, width * 3), 0, 0, axis=1)

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b"")


def write_files(folder: Path) -> None:
    """Write all three."""
    colors = night_colors(THEME.read_text(encoding="utf-8"))
    (folder / PICTURE).write_bytes(write_png(picture(colors)))
    (folder / BAR).write_bytes(write_png(bar(colors)))
    (folder / COLORS).write_text(header(colors), encoding="ascii")


def _pixels(width: int, height: int) -> tuple[_Field, _Field]:
    """The pixels' centres, from the middle of the picture."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return x - (width - 1) / 2, y - (height - 1) / 2


def _plain(width: int, height: int, color: Color) -> _Field:
    return np.full((height, width, 3), color, dtype=np.float64)


def _paint(image: _Field, distance: _Field, color: Color) -> None:
    """Fill a shape, with smooth edges.

    Args:
        distance: of each pixel from the shape's edge in pixels; negative inside.
    """
    share = np.clip(0.5 - distance, 0, 1)[:, :, np.newaxis]
    image += share * (np.array(color) - image)


def _line(x: _Field, y: _Field, start: tuple[float, float], end: tuple[float, float]) -> _Field:
    """Distance from a straight line."""
    along = np.array(end, dtype=np.float64) - start
    share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along)
    at = np.clip(share, 0, 1)
    distance: _Field = np.hypot(x - start[0] - at * along[0], y - start[1] - at * along[1])
    return distance


def _microphone(x: _Field, y: _Field) -> _Field:
    """Distance from the lines of "microphone" in Icon.qml, drawn with a pen two units wide."""
    x, y = x + 12, y + 12
    capsule = np.abs(_line(x, y, (12, 6), (12, 11)) - 3)
    ends = np.minimum(np.hypot(x - 5.5, y - 11), np.hypot(x - 18.5, y - 11))
    holder = np.where(y >= 11, np.abs(np.hypot(x - 12, y - 11) - 6.5), ends)
    foot = np.minimum(_line(x, y, (12, 17.5), (12, 21)), _line(x, y, (8.5, 21), (15.5, 21)))
    return np.minimum(np.minimum(capsule, holder), foot) - 1
