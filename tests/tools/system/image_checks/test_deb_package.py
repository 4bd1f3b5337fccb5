"""tools.system.image_checks.deb_package: what a package contains."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.system.image_checks.deb_package import DebPackage

POSTINST = """\
#!/bin/sh
if [ "enable" = "enable" ]; then
    for service in a.service b.mount; do
        systemctl enable "$service"
    done
fi
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN").chmod(0o755)
    control = (
        "Package: example\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    )
    (tree / "DEBIAN/control").write_text(control)
    (tree / "DEBIAN/postinst").write_text(POSTINST)
    (tree / "DEBIAN/postinst").chmod(0o755)
    (tree / "etc").mkdir(mode=0o755)
    (tree / "etc/x").write_text("hello")
    (tree / "etc/x").chmod(0o600)
    file = tmp_path / "example_1_all.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return file


def test_files_with_owner_mode_and_size(package: Path) -> None:
    read = DebPackage.read(package)
    assert read.name == "example"
    member = read.files()["/etc/x"]
    assert (member.owner, member.mode, member.size) == ("root:root", 0o600, 5)
    assert [one.path for one in read.members if one.is_folder] == ["/", "/etc"]


def test_units_that_are_switched_on(package: Path) -> None:
    assert DebPackage.read(package).enabled == {"a.service", "b.mount"}
