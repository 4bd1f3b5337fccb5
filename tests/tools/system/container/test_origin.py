"""Where version, revision and time of an image come from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rtap import __version__
from rtap.errors import ConfigurationError
from tools.system.container.layers import FILE_TIME
from tools.system.container.origin import find_origin


def git(root: Path, *arguments: str) -> str:
    options = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(root), *options, *arguments],
        env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": "1700000000 +0000", "HOME": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/code.py").write_text("1")
    (tmp_path / "notes.txt").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_the_commit(checkout: Path) -> None:
    origin = find_origin(checkout, {})
    assert origin.version == __version__
    assert origin.revision == git(checkout, "rev-parse", "HEAD")
    assert origin.seconds == 1_700_000_000


def test_changes_are_told_where_they_get_into_the_image(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("2")
    assert not find_origin(checkout, {}).revision.endswith("-dirty")
    (checkout / "backend/code.py").write_text("2")
    assert find_origin(checkout, {}).revision.endswith("-dirty")


def test_environment_comes_first(checkout: Path) -> None:
    environment = {"SOURCE_DATE_EPOCH": "5", "SOURCE_REVISION": "mine"}
    origin = find_origin(checkout, environment)
    assert (origin.revision, origin.seconds) == ("mine", 5)


def test_without_a_checkout(tmp_path: Path) -> None:
    origin = find_origin(tmp_path, {})
    assert (origin.revision, origin.seconds) == ("unknown", FILE_TIME)


def test_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_origin(checkout, {}).revision == "unknown"


def test_bad_time(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SOURCE_DATE_EPOCH is yesterday: give seconds"):
        find_origin(tmp_path, {"SOURCE_DATE_EPOCH": "yesterday"})
