"""The board's boot files: each version has its own checksum, and comes from where nothing changes."""

from __future__ import annotations

import re

import pytest

from tools.system.yocto.layer import LAYER

BOOT_FILES = (
    LAYER / "dynamic-layers/raspberrypi/recipes-bsp/bootfiles/voice-assistant-bootfiles.inc"
)


@pytest.mark.parametrize(
    "pattern",
    [r"SHA256_(\d{8}) = \"[0-9a-f]{64}\"", r"LICENSE_(\d{8}) = \"[0-9a-f]{32}\""],
)
def test_every_version_of_the_firmware_is_verified(pattern: str) -> None:
    text = BOOT_FILES.read_text()
    chosen = re.search(
        r"^RPIFW_DATE = .*'kirkstone', '(\d{8})', '(\d{8})', d\)", text, re.MULTILINE
    )
    assert chosen
    assert set(re.findall(f"FIRMWARE_{pattern}", text)) == set(chosen.groups())


def test_the_firmware_comes_from_an_archive_that_keeps_everything() -> None:
    text = BOOT_FILES.read_text()
    assert re.search(r"https://snapshot\.debian\.org/archive/debian/\d{8}T\d{6}Z/", text)
