"""Layers: the same bytes from the same content, whoever packs it, when and where."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from tools.system.container.layers import FILE_TIME, write_layer


def fill(root: Path) -> Path:
    for name in ("b/two", "b/one", "a", "app/cache/x", "app/health.py"):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (root / "b/link").symlink_to("/usr/bin/python3.11")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "a").chmod(0o4755)
    return root


def entries(file: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(file) as tar:
        return {entry.name: entry for entry in tar.getmembers()}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write_layer("layer", fill(tmp_path / "root"), tmp_path / "layer.tar")
    return tmp_path / "layer.tar"


def test_same_content_same_bytes(tmp_path: Path, packed: Path) -> None:
    before = os.umask(0o077)
    try:
        other = fill(tmp_path / "elsewhere/root")
    finally:
        os.umask(before)
    for path in other.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    again = write_layer("layer", other, tmp_path / "again.tar")
    assert again.file.read_bytes() == packed.read_bytes()


def test_digest_and_size_are_the_file_s(tmp_path: Path) -> None:
    layer = write_layer("layer", fill(tmp_path / "root"), tmp_path / "layer.tar")
    content = layer.file.read_bytes()
    assert (layer.digest, layer.bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_sorted_with_folders_first(packed: Path) -> None:
    names = list(entries(packed))
    assert names == [
        *("a", "app", "app/cache", "app/cache/x", "app/health.py"),
        *("b", "b/link", "b/one", "b/two", "tmp"),
    ]


def test_owners(packed: Path) -> None:
    owners = {name: (entry.uid, entry.gid) for name, entry in entries(packed).items()}
    assert {name for name, owner in owners.items() if owner == (10_001, 10_001)} == {
        "app/cache",
        "app/cache/x",
    }
    assert set(owners.values()) == {(0, 0), (10_001, 10_001)}


def test_modes_and_times(packed: Path) -> None:
    found = entries(packed)
    modes = {name: found[name].mode for name in ("a", "b", "b/one", "tmp")}
    assert modes == {"a": 0o755, "b": 0o755, "b/one": 0o644, "tmp": 0o1777}
    assert {entry.mtime for entry in found.values()} == {FILE_TIME}
    assert found["b/link"].linkname == "/usr/bin/python3.11"
