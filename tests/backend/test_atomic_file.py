"""rtap.atomic_file: a file is whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from rtap import atomic_file
from rtap.errors import StorageError


def test_makes_the_directory_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    atomic_file.write_text(path, "one")
    atomic_file.write_text(path, "zwei €")
    assert path.read_text(encoding="utf-8") == "zwei €"
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize(
    "problem", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_a_failure_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(descriptor: int) -> None:
        raise problem

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((StorageError, KeyboardInterrupt)) as caught:
        atomic_file.write_text(path, "new")
    if caught.type is StorageError:
        assert str(caught.value).startswith(f"{path} cannot be written (No space left on device)")
    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_something_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "file" / "x", tmp_path / "taken"):
        with pytest.raises(StorageError, match="cannot be written"):
            atomic_file.write_text(path, "new")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", tmp_path / "taken"]


def test_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(StorageError):
        atomic_file.write_text(Path("/dev/full/x"), "new")
