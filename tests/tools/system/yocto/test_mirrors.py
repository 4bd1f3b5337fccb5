"""tools.system.yocto.mirrors: local copies of layers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.system.yocto import mirrors

URLS = {"poky": "https://git.example/poky", "meta-qt6": "https://git.example/yocto/meta-qt6.git"}


def bare(path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


@pytest.mark.parametrize("place", ["someone+poky/repo", "poky", "poky.git"])
def test_a_mirror_is_found_by_the_repositorys_name(place: str, tmp_path: Path) -> None:
    made = bare(tmp_path / place)
    assert mirrors.find_mirrors(tmp_path, URLS) == {URLS["poky"]: made}


def test_a_clone_with_a_work_tree_is_a_mirror(tmp_path: Path) -> None:
    folder = tmp_path / "someone+meta-qt6/repo"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    assert mirrors.find_mirrors(tmp_path, URLS) == {URLS["meta-qt6"]: folder / ".git"}


def test_a_name_within_another_is_no_mirror(tmp_path: Path) -> None:
    bare(tmp_path / "someone+not-poky/repo")
    (tmp_path / "poky").mkdir()
    assert mirrors.find_mirrors(tmp_path, URLS) == {}


def test_the_variable_goes_before_a_folder_above(tmp_path: Path) -> None:
    start = tmp_path / "a/b"
    (tmp_path / ".mirror").mkdir()
    start.mkdir(parents=True)
    assert mirrors.mirror_folder(start, {}) == tmp_path / ".mirror"
    elsewhere = {mirrors.VARIABLE: str(tmp_path / "elsewhere")}
    assert mirrors.mirror_folder(start, elsewhere) == tmp_path / "elsewhere"


def test_git_takes_the_mirror(tmp_path: Path) -> None:
    made = bare(tmp_path / "poky.git")
    configuration = tmp_path / "gitconfig"
    configuration.write_text(mirrors.git_configuration({URLS["poky"]: made}))
    done = subprocess.run(
        ["git", "ls-remote", "--get-url", URLS["poky"]],
        env={"GIT_CONFIG_GLOBAL": str(configuration), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"file://{made}"
