from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.system.releasing.manifest import Origin, read_manifest, write_manifest
from tools.system.signing.verification_error import VerificationError

ORIGIN = Origin("1.0", "pi", "scarthgap", "7", "abc", {"image_id": "sha256:1"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path, ORIGIN, {"b": "second", "a": "first"})
    return tmp_path


def test_says_what_it_is_made_of(folder: Path) -> None:
    content = read_manifest(folder)
    assert (content["version"], content["machine"], content["build_id"]) == ("1.0", "pi", "7")
    assert [(file["name"], file["purpose"], file["bytes"]) for file in content["files"]] == [
        ("a", "first", 1),
        ("b", "second", 1),
    ]
    assert content["files"][0]["sha256"].startswith("ca978112ca1bbdca")


def test_has_no_time_and_no_path(folder: Path) -> None:
    first = (folder / "manifest.json").read_bytes()
    write_manifest(folder, ORIGIN, {"a": "first", "b": "second"})
    assert (folder / "manifest.json").read_bytes() == first
    assert str(folder).encode() not in first


@pytest.mark.parametrize(
    "change",
    [{"version": None}, {"files": [{}]}, {"files": 3}, {"container": {}}, {"format": None}],
    ids=str,
)
def test_damaged(folder: Path, change: dict[str, Any]) -> None:
    content = json.loads((folder / "manifest.json").read_text()) | change
    kept = {name: value for name, value in content.items() if value is not None}
    (folder / "manifest.json").write_text(json.dumps(kept))
    with pytest.raises(VerificationError, match="missing or damaged"):
        read_manifest(folder)


def test_later_format(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(VerificationError, match="format 2"):
        read_manifest(folder)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="missing or damaged"):
        read_manifest(tmp_path)
