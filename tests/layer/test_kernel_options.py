"""The check that every kernel option that was asked for took effect."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtap import __version__
from tools.root import ROOT
from tools.system.yocto.images import repositories
from tools.system.yocto.layer import LAYER
from tools.system.yocto.mirrors import find_mirrors, mirror_folder

FRAGMENTS = sorted((LAYER / "recipes-kernel/linux/files").glob("*.cfg"))
BOARD = LAYER / "dynamic-layers/raspberrypi/recipes-kernel/linux"
DISPLAYS = sorted((BOARD / "files").glob("*.cfg"))
BOARD_FRAGMENTS = (
    "powersave.cfg",
    "android-drivers.cfg",
    "vc4graphics.cfg",
    "default-cpu-governor.cfg",
    "raspberrypi4/rpi4-nvmem.cfg",
)
"""What meta-raspberrypi itself adds for this board, in its order."""


def _board_layer(*arguments: str) -> str:
    """What git says of the pinned meta-raspberrypi; the test is skipped where there is no copy of it."""
    url = repositories("scarthgap")["meta-raspberrypi"]
    folder = mirror_folder(ROOT, os.environ)
    mirror = {} if folder is None else find_mirrors(folder, {"": url})
    if url not in mirror:
        pytest.skip("no local mirror of meta-raspberrypi: name one in YOCTO_GIT_MIRROR")
    lock = yaml.safe_load((ROOT / "kas/base.lock.yml").read_text())
    commit = lock["overrides"]["repos"]["meta-raspberrypi"]["commit"]
    command = ["git", "--git-dir", str(mirror[url]), "-c", "safe.directory=*"]
    command += [one.replace("COMMIT", commit) for one in arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


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


def test_the_board_takes_the_newest_kernel_of_its_layer() -> None:
    names = _board_layer("ls-tree", "--name-only", "COMMIT", "recipes-kernel/linux/")
    versions = re.findall(r"linux-raspberrypi_(\d+)\.(\d+)\.bb$", names, re.MULTILINE)
    major, minor = max((int(major), int(minor)) for major, minor in versions)
    distribution = (LAYER / "conf/distro/voice-assistant.conf").read_text()
    chosen = re.search(
        r"^VOICE_ASSISTANT_RPI_KERNEL = .*'([\d.]+)', d\)", distribution, re.MULTILINE
    )
    assert chosen
    assert chosen[1] == f"{major}.{minor}"


def test_every_option_takes_effect_in_a_real_kernel(
    functions: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    """A kernel is configured as bitbake does it: the board's defaults, its layer's fragments, then ours."""
    source = os.environ.get("LINUX_SOURCE")
    if not source:
        pytest.skip("LINUX_SOURCE names no unpacked sources of a kernel")
    missing = [
        one
        for one in ("make", "flex", "bison", "aarch64-linux-gnu-gcc")
        if shutil.which(one) is None
    ]
    if missing:
        pytest.skip(f"to configure a kernel takes {', '.join(missing)}")
    tree = Path(source).resolve()
    defaults = Path(
        os.environ.get("LINUX_DEFCONFIG", tree / "arch/arm64/configs/bcm2711_defconfig")
    ).resolve()
    fragments = []
    for name in BOARD_FRAGMENTS:
        fragment = tmp_path / Path(name).name
        fragment.write_text(_board_layer("show", f"COMMIT:recipes-kernel/linux/files/{name}"))
        fragments.append(fragment)
    build = tmp_path / "build"
    build.mkdir()
    merge = ["scripts/kconfig/merge_config.sh", "-O", str(build), str(defaults)]
    merge += map(str, [*fragments, *FRAGMENTS, *DISPLAYS])
    settings = os.environ | {"ARCH": "arm64", "CROSS_COMPILE": "aarch64-linux-gnu-"}
    for command in (merge, ["make", f"O={build}", "olddefconfig"]):
        done = subprocess.run(
            command, cwd=tree, env=settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    options = functions["kernel_options"]
    wanted: dict[str, str] = {}
    for fragment in FRAGMENTS + DISPLAYS:
        wanted |= options(fragment.read_text().splitlines())
    configured = options((build / ".config").read_text().splitlines())
    assert functions["kernel_options_missing"](wanted, configured) == []


def test_the_layer_has_the_version_of_the_service_and_the_screen() -> None:
    configuration = (LAYER / "conf/layer.conf").read_text()
    screen = (LAYER / "recipes-gui/qt6-voice-assistant/files/gui/CMakeLists.txt").read_text()
    assert f'VOICE_ASSISTANT_VERSION = "{__version__}"' in configuration
    assert f"project(qt6-voice-assistant VERSION {__version__} " in screen
