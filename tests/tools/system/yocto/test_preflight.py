"""tools.system.yocto.preflight: what is refused before a build begins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from tools.system.image_checks.sample_container import write_sample
from tools.system.yocto import preflight
from tools.system.yocto.preflight import ContainerError


def test_a_container_with_its_checksum_is_taken(tmp_path: Path) -> None:
    preflight.require_container(write_sample(tmp_path))


def test_a_changed_container_is_refused(tmp_path: Path) -> None:
    sample = write_sample(tmp_path)
    with sample.open("ab") as file:
        file.write(b"x")
    with pytest.raises(ContainerError, match=r"has SHA-256 .*build the container again"):
        preflight.require_container(sample)


def test_an_empty_checksum_is_refused(tmp_path: Path) -> None:
    sample = write_sample(tmp_path)
    sample.with_name("whisper-backend.tar.sha256").write_text("")
    with pytest.raises(ContainerError, match="says nothing"):
        preflight.require_container(sample)


@pytest.mark.parametrize("missing", ["whisper-backend.tar", "whisper-backend.tar.sha256"])
def test_both_files_have_to_be_there(missing: str, tmp_path: Path) -> None:
    sample = write_sample(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(ContainerError, match=missing):
        preflight.require_container(sample)


def free(monkeypatch: pytest.MonkeyPatch, gigabytes: float) -> None:
    usage = (0, 0, int(gigabytes * preflight.GB))
    named = type("Usage", (), {"free": usage[2]})
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: named)


def test_a_first_build_takes_ninety_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 89)
    with pytest.raises(StorageError, match="89 GB free, the build takes up to 90"):
        preflight.require_disk(tmp_path / "not/yet/there", None)
    free(monkeypatch, 90)
    preflight.require_disk(tmp_path, None)


def test_a_further_build_takes_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "build-qemuarm64/tmp/stamps").mkdir(parents=True)
    free(monkeypatch, 20)
    preflight.require_disk(tmp_path, None)


def test_who_knows_better_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 30)
    preflight.require_disk(tmp_path, 25)


def test_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigurationError, match="as an ordinary user"):
        preflight.require_ordinary_user()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    preflight.require_ordinary_user()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"git", "gawk"}
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    with pytest.raises(ConfigurationError, match=r"chrpath, .*: tools/setup/install_packages.sh"):
        preflight.require_programs()
