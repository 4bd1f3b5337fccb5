"""The folder of a boot."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import StorageError
from tools.system.booting.workplace import temporary_folder


def test_folder_is_removed_with_all_in_it(tmp_path: Path) -> None:
    with temporary_folder(tmp_path / "cache") as folder:
        (folder / "disk.qcow2").write_bytes(b"much")
    assert list((tmp_path / "cache").iterdir()) == []


def test_abandoned_folders_are_removed_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "run-abandoned").mkdir()
    (tmp_path / "image.raw").touch()
    with temporary_folder(tmp_path) as first, temporary_folder(tmp_path) as second:
        assert {file.name for file in tmp_path.iterdir()} == {"image.raw", first.name, second.name}


def test_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="cannot be written"),
        temporary_folder(tmp_path / "file"),
    ):
        pass
