"""The GUI, a console, and a dark screen."""

from __future__ import annotations

import numpy as np
import pytest

from tools.system.booting.boot_error import BootError
from tools.system.booting.picture import is_drawn

WIDTH, HEIGHT = 64, 40


def pixmap(background: tuple[int, int, int], letters: tuple[int, int, int]) -> bytes:
    """Every fifth pixel is a letter's."""
    pixels = np.full((WIDTH * HEIGHT, 3), background, np.uint8)
    pixels[::5] = letters
    return f"P6\n{WIDTH} {HEIGHT}\n255\n".encode() + pixels.tobytes()


@pytest.mark.parametrize("background", [(10, 13, 16), (242, 244, 246), (0, 0, 1)])
def test_gui(background: tuple[int, int, int]) -> None:
    assert is_drawn(pixmap(background, (255, 255, 255)))


@pytest.mark.parametrize("letters", [(0, 0, 0), (170, 170, 170)])
def test_dark_screen_and_console(letters: tuple[int, int, int]) -> None:
    assert not is_drawn(pixmap((0, 0, 0), letters))


def test_no_picture() -> None:
    with pytest.raises(BootError, match="cannot be read"):
        is_drawn(b"\x89PNG")
