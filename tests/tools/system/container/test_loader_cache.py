"""ld.so.cache: glibc's own tool reads what is written here, in the order that it writes itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools.system.container.architecture import ARCHITECTURES, this_architecture
from tools.system.container.loader_cache import _order, write_loader_cache

LDCONFIG = Path("/sbin/ldconfig")

pytestmark = pytest.mark.skipif(not LDCONFIG.exists(), reason="ldconfig is not installed")


def listed(*options: str | Path) -> list[tuple[str, str]]:
    text = subprocess.run(
        [LDCONFIG, "-p", *options], capture_output=True, text=True, check=True
    ).stdout
    return re.findall(r"^\t(\S+) \(.*\) => (\S+)$", text, re.MULTILINE)


def test_ldconfig_reads_it(tmp_path: Path) -> None:
    here = this_architecture()
    for folder, name in (
        ("lib", "libc.so.6"),
        ("usr/lib", "libportaudio.so.2"),
        ("usr/lib", "libportaudio.so.2.0.0"),
        ("usr/lib", "libthing.so"),
        ("usr/lib", "libc.so.6"),
    ):
        place = tmp_path / folder / here.triplet / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    write_loader_cache(tmp_path, here)
    assert listed("-C", tmp_path / "etc/ld.so.cache") == [
        ("libportaudio.so.2", f"/usr/lib/{here.triplet}/libportaudio.so.2"),
        ("libc.so.6", f"/lib/{here.triplet}/libc.so.6"),
    ]


def test_order_is_glibc_s() -> None:
    names = [name for name, _ in listed()]
    assert len(names) > 20
    assert names == sorted(names, key=_order, reverse=True)


def test_numbers_count_by_value() -> None:
    assert sorted(["lib9.so.1", "lib10.so.1", "liba.so.1", "lib.so.1"], key=_order) == [
        "lib.so.1",
        "liba.so.1",
        "lib9.so.1",
        "lib10.so.1",
    ]


def test_other_processors_have_another_flag(tmp_path: Path) -> None:
    caches = []
    for architecture in ARCHITECTURES.values():
        folder = tmp_path / "lib" / architecture.triplet
        folder.mkdir(parents=True)
        (folder / "libc.so.6").touch()
        write_loader_cache(tmp_path, architecture)
        caches.append((tmp_path / "etc/ld.so.cache").read_bytes())
    assert [cache[48:52] for cache in caches] == [b"\x03\x0a\0\0", b"\x03\x03\0\0"]
