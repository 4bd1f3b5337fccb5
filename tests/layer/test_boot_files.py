"""Sources come from addresses whose bytes stay the same, and a version has its own checksum."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LAYER = Path(__file__).resolve().parents[2] / "meta-userapp"
BOOT_FILES = (
    LAYER / "dynamic-layers/raspberrypi/recipes-bsp/bootfiles/voice-assistant-bootfiles.inc"
)
MADE_ON_REQUEST = re.compile(r"(api|codeload)\.github\.com|github\.com/[^/]+/[^/]+/archive/")
"""Archives that a server packs when somebody asks; what packs them may change, and so their checksums."""


def test_no_source_is_packed_on_request() -> None:
    for file in LAYER.rglob("*"):
        if file.suffix in {".bb", ".bbappend", ".inc", ".bbclass"}:
            text = re.sub(r"^#.*$", "", file.read_text(), flags=re.MULTILINE)
            assert not MADE_ON_REQUEST.search(text), file


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
