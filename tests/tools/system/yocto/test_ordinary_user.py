"""tools.system.yocto.ordinary_user: who runs bitbake."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.system.yocto.ordinary_user import OrdinaryUser

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="chooses for root only")


def test_it_is_never_root() -> None:
    assert OrdinaryUser.choose({}).uid != 0


@root_only
@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "nobody"),
        ({"SUDO_USER": "root"}, "nobody"),
        ({"SUDO_USER": "daemon"}, "daemon"),
        ({"SUDO_USER": "daemon", "IMAGE_CHECK_USER": "bin"}, "bin"),
    ],
)
def test_root_gives_way(environment: dict[str, str], name: str) -> None:
    assert OrdinaryUser.choose(environment).name == name


@root_only
def test_a_user_who_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="useradd --create-home noone"):
        OrdinaryUser.choose({"IMAGE_CHECK_USER": "noone"})


@root_only
def test_a_command_runs_as_that_user_without_roots_groups() -> None:
    user = OrdinaryUser.choose({"IMAGE_CHECK_USER": "daemon"})
    command = user.command(["id", "-u"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(user.uid)
    groups = subprocess.run(user.command(["id", "-G"]), capture_output=True, text=True, check=True)
    assert groups.stdout.split() == [str(user.gid)]


@root_only
def test_a_folder_of_another_user_is_told(tmp_path: Path) -> None:
    daemon = OrdinaryUser.choose({"IMAGE_CHECK_USER": "daemon"})
    folder = daemon.own(tmp_path / "new/folder")
    assert folder.stat().st_uid == daemon.uid
    other = OrdinaryUser.choose({"IMAGE_CHECK_USER": "bin"})
    with pytest.raises(ConfigurationError, match=r"belongs to another user than bin: remove it"):
        other.own(folder)
