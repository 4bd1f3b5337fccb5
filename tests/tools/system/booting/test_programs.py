"""Programs that a boot needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from tools.process.programs import BuildError
from tools.root import ROOT
from tools.system.booting import programs


def script(folder: Path, text: str) -> Path:
    file = folder / "script"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_advice_names_files_that_are_there() -> None:
    names = re.findall(r"tools/[\w./]+", programs.INSTALL)
    assert len(names) == 2
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_packages_are_names() -> None:
    lines = (ROOT / "tools/setup/packages/boot.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert {"qemu-system-arm", "qemu-utils", "mtools"} <= set(packages)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in packages)


def test_missing() -> None:
    assert programs.missing("sh") == ""
    assert programs.missing("sh", "no-such", "nor-this") == (
        f"no-such, nor-this not installed: run {programs.INSTALL}"
    )


def test_output_and_environment(tmp_path: Path) -> None:
    file = script(tmp_path, 'echo "$1 $WORD"')
    told = programs.run([file, "a"], advice="", target=tmp_path, environment={"WORD": "b"})
    assert told == "a b\n"


def test_failure(tmp_path: Path) -> None:
    file = script(tmp_path, "echo oh >&2; exit 3")
    with pytest.raises(BuildError, match=r"script failed with status 3 \(oh\): look there"):
        programs.run([file], advice="look there", target=tmp_path)


def test_full_disk(tmp_path: Path) -> None:
    file = script(tmp_path, "echo 'write: No space left on device' >&2; exit 1")
    with pytest.raises(StorageError, match=r"/x/y cannot be written, its disk is full: .*--disk"):
        programs.run([file], advice="", target=Path("/x/y"))


def test_not_installed(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="no-such is not installed: run tools/setup/install"
    ):
        programs.run(["no-such"], advice="", target=tmp_path)
