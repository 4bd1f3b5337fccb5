"""tools.system.yocto.build_folder: how bitbake's programs are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.yocto.build_folder import BuildFolder


@pytest.fixture
def folder(tmp_path: Path) -> BuildFolder:
    poky, build = tmp_path / "po ky", tmp_path / "build"
    poky.mkdir()
    build.mkdir()
    (poky / "oe-init-build-env").write_text('echo noise; export FROM="$1"\n')
    environment = {"PATH": "/usr/bin:/bin"}
    return BuildFolder(build, poky, (), environment, tmp_path / "logs")


def test_a_program_runs_in_bitbakes_environment(folder: BuildFolder) -> None:
    done = folder.run("sh", "-c", 'echo "$FROM"; pwd', log="one.log")
    assert done.text.splitlines() == [str(folder.path), str(folder.path)]
    assert (folder.logs / "one.log").read_text() == done.text


def test_arguments_arrive_as_they_are(folder: BuildFolder) -> None:
    done = folder.run("printf", "%s|", "a b", "$HOME", "'", log="one.log")
    assert done.text == "a b|$HOME|'|"


def test_recipes_may_read_what_is_passed(folder: BuildFolder) -> None:
    script = 'echo "$X $BB_ENV_PASSTHROUGH_ADDITIONS"'
    done = folder.run("sh", "-c", script, log="one.log", passed={"X": "1"})
    assert done.text == "1 WHISPER_BACKEND_TARBALL X\n"
