"""The boot splash: what the recipe has is what the tool draws, in the screen's own colours."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from tests.tools.conftest import Start
from tools.commands import splash_image
from tools.commands.splash_image import FILES
from tools.gui.splash import BAR, COLORS, PICTURE, THEME, bar, night_colors, picture
from tools.system.yocto.layer import LAYER

RECIPE = LAYER / "recipes-core/psplash"
IMAGE = LAYER / "recipes-core/images/voice-assistant-image.inc"
NIGHT = night_colors(THEME.read_text())


def pixels(file: Path) -> NDArray[np.uint8]:
    """Of a PNG that the tool wrote: three bytes a pixel, no filter."""
    content = file.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    at = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[at - 4 : at])
    rows = np.frombuffer(zlib.decompress(content[at + 4 : at + 4 + length]), np.uint8)
    return rows.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_the_recipe_has_what_the_tool_draws(start: Start, tmp_path: Path) -> None:
    """Where it fails after a change of Theme.qml: run tools/splash_image."""
    assert start(splash_image.main, "--output", tmp_path).status == 0
    for name in (PICTURE, BAR):
        # Not the bytes, as zlib packs differently from version to version.
        assert np.array_equal(pixels(FILES / name), pixels(tmp_path / name)), name
    assert (FILES / COLORS).read_text() == (tmp_path / COLORS).read_text()


@pytest.mark.parametrize("image", [picture(NIGHT), bar(NIGHT)], ids=["picture", "bar"])
def test_it_fades_into_the_background(image: NDArray[np.uint8]) -> None:
    for corner in (image[0, 0], image[0, -1], image[-1, 0], image[-1, -1]):
        assert tuple(corner) == NIGHT["background"]


def test_the_picture_is_a_microphone_on_a_disc() -> None:
    image = picture(NIGHT)
    colors = [tuple(color) for color in image.reshape(-1, 3)]
    disc, glyph = colors.count(NIGHT["accent"]), colors.count(NIGHT["textOnAccent"])
    assert 0.4 < disc / len(colors) < 0.55
    assert 0.03 < glyph / len(colors) < 0.15
    # It is the same from left and right, and fits the smallest screen beside the progress bar.
    assert np.array_equal(image, image[:, ::-1])
    assert image.shape[0] <= 240


def test_psplash_s_colors_are_those_of_the_night() -> None:
    text = (FILES / COLORS).read_text()
    defined = {
        name: tuple(int(part, 16) for part in values.split(","))
        for name, values in re.findall(r"#define PSPLASH_(\w+) (\S+)", text)
    }
    assert defined == {
        "BACKGROUND_COLOR": NIGHT["background"],
        "TEXT_COLOR": NIGHT["textDim"],
        "BAR_COLOR": NIGHT["accent"],
        "BAR_BACKGROUND_COLOR": NIGHT["surface"],
    }


def test_a_theme_without_a_color_says_which() -> None:
    theme = THEME.read_text().replace("color accent:", "color emphasis:")
    with pytest.raises(ConfigurationError, match="no night colour accent: mend it or"):
        night_colors(theme)


def test_a_folder_that_is_not_there_says_so(start: Start, tmp_path: Path) -> None:
    done = start(splash_image.main, "--output", tmp_path / "nowhere")
    assert (done.status, "is no folder: make it first" in done.err) == (2, True)


def test_the_image_installs_what_the_recipe_packs() -> None:
    recipe = (RECIPE / "voice-assistant-psplash.inc").read_text()
    suffix = re.search(rf"{PICTURE};outsuffix=([\w-]+)", recipe)
    assert suffix is not None
    image = IMAGE.read_text()
    assert f'SPLASH = "psplash-{suffix[1]}"\n' in image
    assert not re.search(r"^IMAGE_FEATURES:remove", image, re.MULTILINE)
    named = set(re.findall(r"file://([\w.-]+)", recipe))
    assert named == {path.name for path in FILES.iterdir()}


def test_the_screen_takes_over_without_a_black_moment() -> None:
    """psplash that is asked to quit, or ends by a signal that it handles, brings the console back."""
    unit = (FILES / "voice-assistant-splash-end.service").read_text()
    assert "ExecStart=systemctl stop psplash-start.service\n" in unit
    assert "\nBefore=voice-assistant.service\n" in unit
    assert "WantedBy=voice-assistant.service" in unit
    # Started as late as the frame buffer comes, but not over a screen that runs.
    screen = LAYER / "recipes-gui/qt6-voice-assistant/files/voice-assistant.service"
    (folder,) = re.findall(r"^RuntimeDirectory=(.*)$", screen.read_text(), re.MULTILINE)
    condition = f"\nConditionPathExists=!/run/{folder}\n"
    for name in ("voice-assistant-splash.conf", "voice-assistant-progress.conf"):
        assert condition in (FILES / name).read_text()
