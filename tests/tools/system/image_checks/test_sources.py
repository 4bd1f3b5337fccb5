"""tools.system.image_checks.sources: addresses whose bytes stay the same."""

from __future__ import annotations

import re

import pytest

from tools.system.image_checks.sources import unstable
from tools.system.yocto.layer import LAYER


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
