"""tools.reference.program: what is said when a program fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import StorageError
from tools.container.program import BuildError
from tools.reference.program import run


def test_input_and_folder(tmp_path: Path) -> None:
    run(["tee", Path("copy")], "text", folder=tmp_path)
    assert (tmp_path / "copy").read_text() == "text"


def test_failure_names_the_program_and_what_it_said() -> None:
    with pytest.raises(BuildError, match=r"^sh failed with status 3: it is broken$"):
        run(["sh", "-c", "echo it is broken >&2; exit 3"])


def test_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(StorageError, match="the disk is full: free some space"):
        run(["dd", "if=/dev/zero", "of=/dev/full", "count=1"])


def test_the_users_language_hides_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(BuildError, match=r"C\.UTF-8"):
        run(["sh", "-c", "echo $LC_ALL >&2; exit 1"])
