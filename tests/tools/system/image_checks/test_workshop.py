"""tools.system.image_checks.workshop: what there is to work with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.system.image_checks.workshop import Workshop


def test_each_layer_is_mirrored_or_named(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors"
    subprocess.run(["git", "init", "--quiet", "--bare", str(mirrors / "a+poky/repo")], check=True)
    environment = {"YOCTO_GIT_MIRROR": str(mirrors)}
    workshop = Workshop.open(environment, tmp_path / "cache")
    assert set(workshop.mirrors) == {"https://git.yoctoproject.org/poky"}
    assert set(workshop.without_mirror) == {
        "meta-openembedded",
        "meta-qt6",
        "meta-raspberrypi",
        "meta-virtualization",
    }
    configuration = (workshop.cache / "gitconfig").read_text()
    assert "insteadOf = https://git.yoctoproject.org/poky" in configuration


def test_only_one_works_at_a_time(workshop: Workshop) -> None:
    refused = pytest.raises(ConfigurationError, match="another tool is at work")
    with workshop.locked(), refused, workshop.locked():
        pass
    with workshop.locked():
        pass


def test_an_empty_folder_has_nothing_of_an_earlier_run(workshop: Workshop) -> None:
    left = workshop.folder("x") / "left"
    left.write_text("")
    assert workshop.folder("x") == left.parent
    assert left.exists()
    assert not list(workshop.empty_folder("x").iterdir())
