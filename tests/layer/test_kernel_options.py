"""The check that every kernel option that was asked for took effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtap import __version__

LAYER = Path(__file__).resolve().parents[2] / "meta-userapp"
FRAGMENTS = sorted((LAYER / "recipes-kernel/linux/files").glob("*.cfg"))
BOARD = LAYER / "dynamic-layers/raspberrypi/recipes-kernel/linux"
DISPLAYS = sorted((BOARD / "files").glob("*.cfg"))


@pytest.fixture(scope="module")
def functions() -> dict[str, Callable[..., Any]]:
    """The class's functions, which are plain Python between bitbake's own language."""
    text = (LAYER / "classes/kernel_option_check.bbclass").read_text()
    namespace: dict[str, Any] = {}
    for function in re.findall(r"^def .*?(?=^\S)", text, re.DOTALL | re.MULTILINE):
        exec(function, namespace)
    return namespace


def test_options_are_read_from_fragments_and_configurations(
    functions: dict[str, Callable[..., Any]],
) -> None:
    lines = ["# a comment\n", "CONFIG_VETH=m\n", "# CONFIG_SWAP is not set\n", 'CONFIG_X="a=b"\n']
    options = functions["kernel_options"](lines)
    assert options == {"CONFIG_VETH": "m", "CONFIG_SWAP": "n", "CONFIG_X": '"a=b"'}


@pytest.mark.parametrize(
    ("wanted", "result", "fulfilled"),
    [
        ("y", "y", True),
        ("m", "m", True),
        ("m", "y", True),
        ("y", "m", False),
        ("y", None, False),
        ("m", "n", False),
        ("n", None, True),
        ("n", "y", False),
    ],
)
def test_what_counts_as_taking_effect(
    functions: dict[str, Callable[..., Any]], wanted: str, result: str | None, *, fulfilled: bool
) -> None:
    configured = {} if result is None else {"CONFIG_VETH": result}
    missing = functions["kernel_options_missing"]({"CONFIG_VETH": wanted}, configured)
    assert bool(missing) != fulfilled
    assert fulfilled or "CONFIG_VETH" in missing[0]


def test_every_fragment_is_checked(functions: dict[str, Callable[..., Any]]) -> None:
    include = (LAYER / "recipes-kernel/linux/voice-assistant-kernel.inc").read_text()
    checked = re.search(r'KERNEL_OPTION_FRAGMENTS = "(.*)"', include)
    assert checked
    assert checked[1].split() == [fragment.name for fragment in FRAGMENTS]
    for fragment in FRAGMENTS:
        assert functions["kernel_options"](fragment.read_text().splitlines())


def test_every_fragment_for_displays_is_checked(
    functions: dict[str, Callable[..., Any]],
) -> None:
    include = (BOARD / "voice-assistant-displays.inc").read_text()
    assert len(DISPLAYS) == 2
    for fragment in DISPLAYS:
        assert fragment.name in include
        assert functions["kernel_options"](fragment.read_text().splitlines())
    assert '\nKERNEL_OPTION_FRAGMENTS:append = " ${DISPLAY_OPTION_FRAGMENTS}"\n' in include


def test_no_option_is_asked_for_in_two_ways(functions: dict[str, Callable[..., Any]]) -> None:
    seen: dict[str, str] = {}
    for fragment in FRAGMENTS + DISPLAYS:
        for option in functions["kernel_options"](fragment.read_text().splitlines()):
            assert option not in seen, f"{option} is in {seen[option]} and {fragment.name}"
            seen[option] = fragment.name


def test_the_layer_has_the_version_of_the_service_and_the_screen() -> None:
    configuration = (LAYER / "conf/layer.conf").read_text()
    screen = (LAYER / "recipes-gui/qt6-voice-assistant/files/gui/CMakeLists.txt").read_text()
    assert f'VOICE_ASSISTANT_VERSION = "{__version__}"' in configuration
    assert f"project(qt6-voice-assistant VERSION {__version__} " in screen
