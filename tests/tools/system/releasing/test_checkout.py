from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.system.releasing.checkout import find_commit


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_clean(root: Path) -> None:
    assert find_commit(root, is_dirty_allowed=False) == git(root, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["file", "new-file"])
def test_changed_and_new_files_count(root: Path, name: str) -> None:
    (root / name).write_text("two")
    with pytest.raises(ConfigurationError, match=rf"1 files .*\({name}\).*--allow-dirty"):
        find_commit(root, is_dirty_allowed=False)
    commit = git(root, "rev-parse", "HEAD")
    assert find_commit(root, is_dirty_allowed=True) == f"{commit}-dirty"


def test_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no git commit.*--allow-dirty"):
        find_commit(tmp_path, is_dirty_allowed=False)
    assert find_commit(tmp_path, is_dirty_allowed=True) == "unknown"
