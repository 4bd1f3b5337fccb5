"""Sources come from addresses whose bytes stay the same, and a version has its own checksum."""

from __future__ import annotations

import re

import pytest

from tools.system.image_checks.sources import unstable
from tools.system.yocto.layer import LAYER

BOOT_FILES = (
    LAYER / "dynamic-layers/raspberrypi/recipes-bsp/bootfiles/voice-assistant-bootfiles.inc"
)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("https://api.github.com/repos/a/firmware/tarball/0123;downloadfilename=x", "anew"),
        ("https://codeload.github.com/a/b/tar.gz/0123", "anew"),
        ("https://github.com/a/b/archive/refs/tags/1.tar.gz", "anew"),
        ("https://archive.example.com/debian/pool/main/r/r_1.orig.tar.xz", "drop"),
        ("https://snapshot.debian.org/archive/debian/20260601T000000Z/pool/r/r_1.deb", None),
        ("https://github.com/a/b/releases/download/1/b_1.orig.tar.xz", None),
    ],
)
def test_addresses_whose_bytes_may_change(address: str, why: str | None) -> None:
    found = unstable(address)
    assert found is None if why is None else found is not None and why in found


def test_no_source_of_the_layer_is_unstable() -> None:
    for file in LAYER.rglob("*"):
        if file.suffix in {".bb", ".bbappend", ".inc", ".bbclass"}:
            sources = re.findall(r"^SRC_URI.*$", file.read_text(), flags=re.MULTILINE)
            assert not any(unstable(source) for source in sources), file


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
