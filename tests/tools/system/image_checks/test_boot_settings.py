"""tools.system.image_checks.boot_settings: what is wrong with config.txt and cmdline.txt."""

from __future__ import annotations

import pytest

from tools.system.image_checks.boot_settings import DETECTED, ConfigTxt, complaints

CONFIG = """\
# gpu_mem=256 in a comment
gpu_mem=76
disable_splash=1
# Enable VC4 Graphics
dtoverlay=vc4-kms-v3d,cma-128
dtparam=audio=on
dtparam=i2c_arm=on
display_auto_detect=1
[pi5]
gpu_mem=16
dtoverlay=uart0-pi5
[all]
"""
CMDLINE = (
    "console=serial0,115200 root=PARTUUID=1-02 rootwait ro cgroup_enable=memory cgroup_memory=1\n"
)
OVERLAYS = ("vc4-kms-v3d-pi4", *DETECTED["scarthgap"])
INSTALLED = frozenset(
    [
        "broadcom/bcm2711-rpi-4-b.dtb",
        "overlays/overlay_map.dtb",
        *(f"overlays/{name}.dtbo" for name in OVERLAYS),
    ]
)
BEFORE = """\
disable_overscan=1
disable_splash=1
gpu_mem=256
# Enable UART
enable_uart=1
# Enable VC4 Graphics
dtoverlay=vc4-kms-v3d
# Headphone socket and HDMI sound
dtparam=audio=on
"""
"""The layer's config.txt before it had a setting for displays."""


def found(config: str = CONFIG, cmdline: str = CMDLINE) -> list[str]:
    return complaints(ConfigTxt.parse(config), cmdline, INSTALLED, DETECTED["scarthgap"])


def test_what_is_complete_has_no_complaints() -> None:
    assert found() == []


def test_the_file_of_before_would_have_been_found() -> None:
    assert found(BEFORE) == [
        "config.txt lacks display_auto_detect=1: official displays stay dark",
        "config.txt has gpu_mem=256 instead of 76",
        "a board with 1024 MB has 260 MB left instead of 800",
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("display_auto_detect=1", "display_auto_detect=0", "lacks display_auto_detect=1"),
        ("display_auto_detect=1", "#display_auto_detect=1", "lacks display_auto_detect=1"),
        ("dtoverlay=vc4-kms-v3d,cma-128", "", "lacks dtoverlay=vc4-kms-v3d"),
        ("vc4-kms-v3d,cma-128", "vc4-kms-v3d,cma-384", "has 564 MB left instead of 800"),
        ("[all]", "dtoverlay=x\n[all]\ndtoverlay=imx219", "overlays/imx219.dtbo is not in"),
        ("[all]", "[pi4]\ngpu_mem=64\n", "has gpu_mem=64 instead of 76"),
        ("[all]", "[all]\ngpu_mem=64\n", "sets gpu_mem to 76 and to 64"),
        ("dtparam=audio=on", "dtparam=audio=on ", "a space at the end of dtparam=audio=on"),
        ("cma-128", "cma-128\t", "a space at the end of dtoverlay=vc4-kms-v3d,cma-128"),
        ("disable_splash=1", "x" * 81, "a line of 81 characters"),
    ],
)
def test_a_fault_in_config_txt_is_told(old: str, new: str, complaint: str) -> None:
    assert old in CONFIG
    assert any(complaint in line for line in found(CONFIG.replace(old, new)))


@pytest.mark.parametrize("word", ["cgroup_enable=memory", "cgroup_memory=1"])
def test_the_memory_cgroup_is_switched_on(word: str) -> None:
    assert found(cmdline=CMDLINE.replace(word, f"{word}2")) == [
        f"cmdline.txt lacks {word}: docker ignores memory limits"
    ]


def test_a_second_line_of_arguments_is_lost() -> None:
    assert "more than one line" in found(cmdline=CMDLINE + "quiet\n")[0]


@pytest.mark.parametrize("file", sorted(INSTALLED - {"broadcom/bcm2711-rpi-4-b.dtb"}))
def test_every_overlay_has_to_be_installed(file: str) -> None:
    wrong = complaints(ConfigTxt.parse(CONFIG), CMDLINE, INSTALLED - {file}, DETECTED["scarthgap"])
    assert wrong == [f"{file} is not in KERNEL_DEVICETREE: the image is built without it"]


def test_the_older_release_knows_the_older_display_only() -> None:
    older = [name for name in INSTALLED if "ili9881" not in name]
    assert complaints(ConfigTxt.parse(CONFIG), CMDLINE, older, DETECTED["kirkstone"]) == []
