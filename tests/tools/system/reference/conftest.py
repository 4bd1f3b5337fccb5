"""What tests of the reference image share: a container and a screen of a few bytes, packages made here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.system.image_checks.sample_container import write_sample

MakePackage = Callable[..., Path]


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A folder as tools/build_container leaves it."""
    folder = tmp_path / "container"
    folder.mkdir()
    write_sample(folder)
    return folder


@pytest.fixture
def gui(tmp_path: Path) -> Path:
    """A folder as ``cmake --install`` leaves it, for a user whose new folders are his own."""
    folder = tmp_path / "gui"
    (folder / "usr/bin").mkdir(parents=True)
    program = folder / "usr/bin/qt6-voice-assistant"
    program.write_text("a program\n")
    program.chmod(0o755)
    for one in (folder, folder / "usr", folder / "usr/bin"):
        one.chmod(0o700)
    return folder


@pytest.fixture
def make_package(tmp_path: Path) -> MakePackage:
    """Make a .deb of files with their text; the name is NAME_1.0_all.deb."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")

    def make(name: str, **files: str) -> Path:
        tree = tmp_path / f"{name}-tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.com>\n"
            "Description: x\n"
        )
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        file = tmp_path / "packages" / f"{name}_1.0_all.deb"
        file.parent.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "--build", tree, file], check=True, capture_output=True)
        return file

    return make
