from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.system.releasing.sample_parts import description, fill_container
from tools.system.releasing.container_parts import ContainerParts


def test_complete(tmp_path: Path) -> None:
    parts = ContainerParts(fill_container(tmp_path))
    assert parts.faults("1.0.0") == []
    digest = parts.digest()
    assert digest["image_id"] == description()["image_id"]
    assert digest["archive_sha256"] == description()["archive_sha256"]
    assert "versions" not in digest


@pytest.mark.parametrize("name", ["whisper-backend.json", "whisper-backend.spdx.json"])
def test_missing(tmp_path: Path, name: str) -> None:
    (fill_container(tmp_path) / name).unlink()
    (fault,) = ContainerParts(tmp_path).faults("1.0.0")
    assert fault.startswith(name)
    assert "`make container`" in fault


def test_other_version(tmp_path: Path) -> None:
    (fault,) = ContainerParts(fill_container(tmp_path, "0.9.0")).faults("1.0.0")
    assert "is of 0.9.0" in fault


def test_description_of_another_archive(tmp_path: Path) -> None:
    (fill_container(tmp_path) / "whisper-backend.tar.sha256").write_text("0 x\n")
    (fault,) = ContainerParts(tmp_path).faults("1.0.0")
    assert "SHA-256 differs" in fault
