"""tools/pins: what is newer than the pinned commits, and moving them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Done, Start
from tests.tools.system.releasing.test_checkout import git
from tools.commands import pins
from tools.system.yocto import upstream

Show = Callable[..., Done]


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A repository with one commit on its branch."""
    folder = tmp_path / "upstream/meta-sample"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "scarthgap")
    commit(folder, "first")
    git(folder, "branch", "kirkstone")
    return folder


def commit(folder: Path, message: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def kas(tmp_path: Path, layer: Path) -> Path:
    """Kas files that pin the first commit on both releases."""
    folder = tmp_path / "kas"
    folder.mkdir()
    (folder / "base.yml").write_text(
        f"repos:\n  rtap:\n    layers:\n      meta:\n"
        f"  meta-sample:\n    url: file://{layer}\n    branch: scarthgap\n"
    )
    (folder / "kirkstone.yml").write_text("repos:\n  meta-sample:\n    branch: kirkstone\n")
    first = git(layer, "rev-parse", "HEAD")
    lock = f"# kept\noverrides:\n  repos:\n    meta-sample:\n      commit: {first}\n"
    (folder / "base.lock.yml").write_text(lock)
    (folder / "kirkstone.lock.yml").write_text(lock)
    return folder


@pytest.fixture
def show(start: Start, kas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    monkeypatch.setattr(pins, "CACHE", tmp_path / ".cache")
    monkeypatch.delenv("YOCTO_GIT_MIRROR", raising=False)
    return lambda *arguments: start(pins.main, "--kas", str(kas), *arguments)


def test_all_newest(show: Show) -> None:
    done = show()
    assert (done.status, done.complaints) == (0, [])
    lines = done.out.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "the newest of scarthgap",
        "the newest of kirkstone",
    ]


def test_newer_commits_and_those_that_name_a_weakness(show: Show, layer: Path) -> None:
    commit(layer, "curl: fix CVE-2026-12345")
    commit(layer, "zlib: update\n\nFixes cve-2026-54321.")
    tip = commit(layer, "docs")
    done = show("--release", "scarthgap", "--list", "1")
    head, *rest = done.out.splitlines()
    assert f"3 commits behind scarthgap, {tip[:10]}" in head
    assert head.endswith("; 2 name a CVE")
    assert [(line[2], line[26:]) for line in rest] == [
        (" ", "docs"),
        ("!", "zlib: update (CVE-2026-54321)"),
        ("!", "curl: fix CVE-2026-12345"),
    ]


def test_a_long_list_is_cut(show: Show, layer: Path) -> None:
    for number in range(5):
        commit(layer, f"change {number}")
    assert "and 3 more" in show("--list", "2").out


def test_a_pin_far_behind_is_found_in_steps(
    show: Show, layer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "_DEPTHS", (1, 2, 100))
    for number in range(4):
        commit(layer, f"change {number}")
    assert "4 commits behind" in show().out


def test_update_moves_the_commit_and_nothing_else(show: Show, layer: Path, kas: Path) -> None:
    first = git(layer, "rev-parse", "HEAD")
    tip = commit(layer, "newer")
    before = (kas / "base.lock.yml").read_text()
    done = show("--update")
    assert done.status == 0
    assert "base.lock.yml changed" in done.out
    assert (kas / "base.lock.yml").read_text() == before.replace(first, tip)
    assert first in (kas / "kirkstone.lock.yml").read_text()
    assert "nothing to update" in show("--update").out


def test_a_mirror_is_asked_where_it_is_named(
    show: Show, layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    copy = mirrors / "meta-sample"
    subprocess.run(["git", "clone", "--quiet", "--mirror", str(layer), str(copy)], check=True)
    commit(layer, "not in the copy")
    monkeypatch.setenv("YOCTO_GIT_MIRROR", str(mirrors))
    assert "the newest of scarthgap" in show().out


def test_json(show: Show, layer: Path) -> None:
    tip = commit(layer, "fix CVE-2026-12345")
    (first, _) = json.loads(show("--json").out)
    assert (first["name"], first["newest"]["commit"]) == ("meta-sample", tip)
    assert first["newer"][0]["cve"] == ["CVE-2026-12345"]


def test_a_repository_that_does_not_answer(show: Show, layer: Path, kas: Path) -> None:
    commit(layer, "newer")
    kirkstone = kas / "kirkstone.yml"
    kirkstone.write_text(kirkstone.read_text() + f"    url: file://{layer}-nowhere\n")
    before = (kas / "base.lock.yml").read_text()
    done = show("--update")
    assert done.status == 1
    (complaint,) = done.complaints
    assert "meta-sample on kirkstone" in complaint
    assert "connect to the network" in complaint
    assert "1 commits behind" in done.out
    assert (kas / "base.lock.yml").read_text() == before


def test_a_branch_without_the_pinned_commit(show: Show, kas: Path) -> None:
    lock = kas / "base.lock.yml"
    lock.write_text("overrides:\n  repos:\n    meta-sample:\n      commit: " + "a" * 40 + "\n")
    done = show("--release", "scarthgap")
    assert done.status == 1
    assert "does not have the pinned aaaaaaaaaa" in done.err


def test_a_layer_without_a_commit(show: Show, kas: Path) -> None:
    (kas / "base.lock.yml").write_text("overrides:\n  repos: {}\n")
    done = show("--release", "scarthgap")
    assert done.status == 2
    assert "pins a commit of meta-sample" in done.err
