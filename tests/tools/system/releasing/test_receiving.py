"""What a receiver finds out about a folder, and what not even a signature makes good."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.disk_image.sample_image import Sample, make_sample
from tests.tools.system.releasing.sample_parts import description
from tools.system.disk_image.image_file import DamagedImageError
from tools.system.releasing import manifest
from tools.system.releasing.receiving import check_release, verify_pair
from tools.system.signing import checksums
from tools.system.signing.verification_error import NotVerifiableError, VerificationError

PURPOSES = {
    "a.wic.bz2": "image",
    "a.wic.bmap": "block map",
    "whisper-backend.json": "description of the container",
}


@pytest.fixture
def folder(sample: Sample, tmp_path: Path) -> Path:
    """A release without a signature."""
    path = tmp_path / "release"
    path.mkdir()
    shutil.copy(sample.compressed, path / "a.wic.bz2")
    shutil.copy(sample.bmap, path / "a.wic.bmap")
    (path / "whisper-backend.json").write_text(json.dumps(description()))
    describe(path)
    return path


def describe(folder: Path, image_id: str = description()["image_id"]) -> None:
    origin = manifest.Origin("1.0.0", "pi", None, None, "abc", {"image_id": image_id})
    manifest.write_manifest(folder, origin, PURPOSES)
    seal(folder)


def seal(folder: Path) -> None:
    names = [path.name for path in folder.iterdir() if path.name != checksums.NAME]
    checksums.write_sums(folder, names)


def refusal(folder: Path, error: type[Exception] = VerificationError) -> str:
    with pytest.raises(error) as caught:
        check_release(folder, None, is_signature_required=False)
    return str(caught.value)


def test_right(folder: Path) -> None:
    content = check_release(folder, None, is_signature_required=False)
    assert content["version"] == "1.0.0"
    assert content["checked"] == ["SHA-256", "manifest", "block map"]


def test_signature_is_required_unless_told_otherwise(folder: Path) -> None:
    with pytest.raises(NotVerifiableError, match="has no signature"):
        check_release(folder, None, is_signature_required=True)


def test_signature_that_is_there_is_checked_even_then(folder: Path, tmp_path: Path) -> None:
    (folder / "SHA256SUMS.minisig").write_text("no signature")
    with pytest.raises((VerificationError, ConfigurationError)):
        check_release(folder, str(tmp_path / "none.pub"), is_signature_required=False)


def test_changed_file(folder: Path) -> None:
    (folder / "whisper-backend.json").write_text("{}")
    assert "whisper-backend.json is not the file" in refusal(folder)


def test_missing_file(folder: Path) -> None:
    (folder / "a.wic.bmap").unlink()
    assert "a.wic.bmap is missing" in refusal(folder)


def test_file_that_nobody_vouches_for(folder: Path) -> None:
    (folder / "extra").touch()
    assert "extra is not named in SHA256SUMS" in refusal(folder)


def test_manifest_that_names_too_little(folder: Path) -> None:
    (folder / "extra").touch()
    seal(folder)
    assert "disagree on extra" in refusal(folder)


def test_manifest_with_another_digest(folder: Path) -> None:
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    content["files"][0]["sha256"] = "0" * 64
    file.write_text(json.dumps(content))
    seal(folder)
    assert "disagree on a.wic.bmap" in refusal(folder)


def test_another_container(folder: Path) -> None:
    describe(folder, "sha256:other")
    assert "name different containers" in refusal(folder)


def test_block_map_of_another_image(folder: Path, tmp_path: Path) -> None:
    """All checksums are right; the two files still do not belong together."""
    other = make_sample(tmp_path, "other", seed=1)
    shutil.copy(other.bmap, folder / "a.wic.bmap")
    describe(folder)
    assert "belongs to another .bmap" in refusal(folder, DamagedImageError)


def test_pair(sample: Sample) -> None:
    verify_pair(sample.compressed, sample.bmap)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no folder"):
        check_release(tmp_path / "none", None, is_signature_required=True)
