"""Whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from tests.tools.conftest import SmallDisk
from tools.system.releasing.folder import new_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "release"


def release(target: Path) -> Path:
    target.mkdir(parents=True)
    (target / "manifest.json").write_text("old")
    (target / "gone").touch()
    return target


def test_appears_with_all_files(target: Path) -> None:
    with new_folder(target, is_replaced=False) as folder:
        (folder / "a").touch()
        assert not target.exists()
        number = folder.stat().st_ino
    assert names(target.parent) == ["a", "release"]
    assert target.stat().st_ino == number, "it was copied: a power cut would leave half of it"


def fill_and_fail(target: Path, error: type[BaseException], *, is_replaced: bool = False) -> None:
    with new_folder(target, is_replaced=is_replaced) as folder:
        (folder / "a").touch()
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_a_failure(target: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fill_and_fail(target, error)
    assert names(target.parent) == []


def test_existing_one_stays_without_force(target: Path) -> None:
    release(target)
    with (
        pytest.raises(ConfigurationError, match="add --force"),
        new_folder(target, is_replaced=False),
    ):
        pass
    assert names(target) == ["gone", "manifest.json"]


def test_existing_one_goes_when_the_new_one_is_there(target: Path) -> None:
    release(target)
    with new_folder(target, is_replaced=True) as folder:
        (folder / "a").touch()
        assert (target / "gone").exists()
    assert names(target.parent) == ["a", "release"]


def test_existing_one_outlives_a_failed_replacement(target: Path) -> None:
    release(target)
    with pytest.raises(KeyError):
        fill_and_fail(target, KeyError, is_replaced=True)
    assert names(target.parent) == ["gone", "manifest.json", "release"]


def test_force_replaces_nothing_but_releases(target: Path) -> None:
    target.mkdir(parents=True)
    (target / "photos").touch()
    with (
        pytest.raises(ConfigurationError, match="is no release"),
        new_folder(target, is_replaced=True),
    ):
        pass
    assert names(target) == ["photos"]


def test_full_disk(small_disk: SmallDisk) -> None:
    small_disk.resize(64)
    target = small_disk.path / "release"
    with (
        pytest.raises(StorageError, match=r"disk is full.*--output"),
        new_folder(target, is_replaced=False) as folder,
    ):
        (folder / "a").write_bytes(os.urandom(10**6))
    assert names(small_disk.path) == []
