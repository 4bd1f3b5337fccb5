from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.system.signing.checksums import read_sums, verify_file, write_sums
from tools.system.signing.verification_error import NotVerifiableError, VerificationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    write_sums(tmp_path, ["b", "a"])
    return tmp_path


def test_is_what_sha256sum_checks(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    command = ["sha256sum", "--strict", "--check", "SHA256SUMS"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "a: OK\nb: OK\n"


def test_right_file(folder: Path) -> None:
    verify_file(folder / "a", read_sums(folder))


def test_reads_binary_marks(folder: Path) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  ", " *"))
    verify_file(folder / "a", read_sums(folder))


def test_changed_file(folder: Path) -> None:
    (folder / "a").write_text("A")
    with pytest.raises(VerificationError, match=r"a is not the file .* fetch it again") as caught:
        verify_file(folder / "a", read_sums(folder))
    assert not isinstance(caught.value, NotVerifiableError)


def test_missing_file(folder: Path) -> None:
    sums = read_sums(folder)
    (folder / "a").unlink()
    with pytest.raises(VerificationError, match="a is missing"):
        verify_file(folder / "a", sums)


def test_file_that_is_not_named(folder: Path) -> None:
    with pytest.raises(NotVerifiableError, match="no line for c"):
        verify_file(folder / "c", read_sums(folder))


@pytest.mark.parametrize(
    "line", ["", "abc  a", f"{'0' * 64} a", f"{'0' * 64}  ../a", f"{'0' * 64}  a"]
)
def test_lines_that_are_none_or_twice_there(folder: Path, line: str) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text() + line + "\n")
    with pytest.raises(VerificationError, match="line 3"):
        read_sums(folder)


def test_missing_sums(tmp_path: Path) -> None:
    with pytest.raises(NotVerifiableError, match=r"SHA256SUMS is missing.*--no-verify"):
        read_sums(tmp_path)
