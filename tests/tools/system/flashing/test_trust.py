"""What --no-verify forgives, and what it never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.flashing import trust
from tools.system.flashing.trust import verify
from tools.system.signing.checksums import write_sums
from tools.system.signing.verification_error import NotVerifiableError, VerificationError


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a.wic.bz2", tmp_path / "a.wic.bmap"]
    for file in found:
        file.write_text(file.name)
    return found


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every signature is right; test_signature.py has the rest."""
    monkeypatch.setattr(trust, "verify_signature", lambda _folder, _key: ["minisign"])


def check(files: list[Path], *, is_required: bool = True) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    return verify(files, None, is_required=is_required, note=notes.append), notes


def test_all_is_right(files: list[Path], signed: None) -> None:
    write_sums(files[0].parent, [file.name for file in files])
    assert check(files) == (["minisign", "SHA-256"], [])


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("index", [0, 1])
def test_wrong_checksum_is_never_forgiven(
    files: list[Path], signed: None, index: int, *, is_required: bool
) -> None:
    write_sums(files[0].parent, [file.name for file in files])
    files[index].write_text("changed")
    with pytest.raises(VerificationError, match=f"{files[index].name} is not the file.*again"):
        check(files, is_required=is_required)


def test_missing_checksums(files: list[Path], signed: None) -> None:
    with pytest.raises(NotVerifiableError, match=r"SHA256SUMS is missing: .* --no-verify"):
        check(files)
    checked, notes = check(files, is_required=False)
    assert checked == ["minisign"]
    assert len(notes) == 1


def test_map_without_a_checksum(files: list[Path], signed: None) -> None:
    """Whoever can change the map decides what is written."""
    write_sums(files[0].parent, [files[0].name])
    with pytest.raises(NotVerifiableError, match=r"no line for a.wic.bmap.*--no-verify"):
        check(files)


def test_missing_signature(files: list[Path]) -> None:
    write_sums(files[0].parent, [file.name for file in files])
    with pytest.raises(NotVerifiableError, match=r"has no signature.*--no-verify"):
        check(files)
    checked, notes = check(files, is_required=False)
    assert checked == ["SHA-256"]
    assert "no signature" in notes[0]
