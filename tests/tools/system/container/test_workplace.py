"""The folder of a build: made, cleaned up, and too small."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from rtap.errors import StorageError
from tools.system.container import workplace as module
from tools.system.container.workplace import workplace


def test_nothing_is_left(tmp_path: Path) -> None:
    with workplace(tmp_path / "out", 0) as work:
        (work / "file").touch()
    assert list((tmp_path / "out").iterdir()) == []


def test_too_little_room_is_told_before_the_work(small_disk: Any) -> None:
    with (
        pytest.raises(StorageError, match=r"has 0 MB left and the build takes 1230 MB"),
        workplace(small_disk.path / "out", 10_000_000),
    ):
        pytest.fail("it began")


def test_disk_that_fills_up(small_disk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small_disk.resize(64)
    monkeypatch.setattr(module, "NEEDED_BYTES", 0)
    with (
        pytest.raises(StorageError, match="the disk is full: free some space"),
        workplace(small_disk.path, 0) as work,
    ):
        (work / "large").write_bytes(bytes(1 << 20))


def test_output_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with (
        pytest.raises(StorageError, match=r"out cannot be written \(File exists\): choose another"),
        workplace(tmp_path / "out", 0),
    ):
        pytest.fail("it began")


def test_other_refusals(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"/x cannot be written \(Read-only file system\)"),
        workplace(tmp_path, 0),
    ):
        raise OSError(errno.EROFS, "Read-only file system", "/x")
