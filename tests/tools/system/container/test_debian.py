"""Debian's packages, with a stand-in for mmdebstrap that hands out packages made here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.process.programs import BuildError
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.debian import fetch, unpack

ARM64 = ARCHITECTURES["arm64"]

pytestmark = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed"
)


def make_package(place: Path, name: str, fields: str = "") -> Path:
    tree = place / f"{name}-tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1:2.0-3\nArchitecture: arm64\nMaintainer: A <a@example.com>\n"
        f"{fields}Description: of {name}\n More: of it\n"
    )
    (tree / f"usr/share/{name}").mkdir(parents=True)
    (tree / f"usr/share/{name}/file").write_text(name)
    file = place / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", tree, file], check=True, capture_output=True)
    return file


class Mmdebstrap:
    """Notes its arguments and copies packages as ``copy-out`` would."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.packages = place / "packages"
        self.packages.mkdir()

    def install(self, then: str) -> None:
        program = self.place / "bin/mmdebstrap"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self.place}/arguments\n{then}\n')
        program.chmod(0o755)

    @property
    def arguments(self) -> list[str]:
        return (self.place / "arguments").read_text().splitlines()


@pytest.fixture
def mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mmdebstrap:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return Mmdebstrap(tmp_path)


def hand_out(mmdebstrap: Mmdebstrap, folder: Path) -> None:
    mmdebstrap.install(
        f"mkdir {folder}/archives && cp {mmdebstrap.packages}/*.deb {folder}/archives"
    )


def test_fetches_and_reads(mmdebstrap: Mmdebstrap, tmp_path: Path) -> None:
    file = make_package(mmdebstrap.packages, "libthing1", "Source: thing (1.9)\n")
    make_package(mmdebstrap.packages, "dpkg")
    folder = tmp_path / "debs"
    hand_out(mmdebstrap, folder)
    (package,) = fetch(ARM64, ["libthing1", "other"], folder, None)
    assert (package.name, package.version, package.source) == ("libthing1", "1:2.0-3", "thing")
    assert package.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "Description: of libthing1\n More: of it" in package.control
    assert {"--architectures=arm64", "--include=libthing1,other", "bookworm"} <= set(
        mmdebstrap.arguments
    )
    assert mmdebstrap.arguments[-1] == "/dev/null"


def test_mirror(mmdebstrap: Mmdebstrap, tmp_path: Path) -> None:
    mmdebstrap.install("")
    assert fetch(ARM64, ["a"], tmp_path / "debs", "https://example.com/debian") == []
    assert mmdebstrap.arguments[-1] == "https://example.com/debian"


def test_unpacks(mmdebstrap: Mmdebstrap, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_package(mmdebstrap.packages, name)
    folder = tmp_path / "debs"
    hand_out(mmdebstrap, folder)
    unpack(fetch(ARM64, ["one"], folder, None), tmp_path / "root")
    assert (tmp_path / "root/usr/share/one/file").read_text() == "one"
    assert (tmp_path / "root/usr/share/two/file").read_text() == "two"
    assert not (tmp_path / "root/DEBIAN").exists()


def test_failure_says_what_may_be_missing(mmdebstrap: Mmdebstrap, tmp_path: Path) -> None:
    mmdebstrap.install("echo 'E: apt-get update failed' >&2; exit 25")
    with pytest.raises(
        BuildError,
        match=r"mmdebstrap failed with status 25 \(E: apt-get update failed\): check the",
    ):
        fetch(ARM64, ["a"], tmp_path / "debs", None)


def test_damaged_package(mmdebstrap: Mmdebstrap, tmp_path: Path) -> None:
    (mmdebstrap.packages / "bad.deb").write_text("no package")
    folder = tmp_path / "debs"
    hand_out(mmdebstrap, folder)
    with pytest.raises(BuildError, match=r"bad.deb is damaged: run the same command again"):
        fetch(ARM64, ["a"], folder, None)


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="apt-get install mmdebstrap"):
        fetch(ARM64, ["a"], tmp_path / "debs", None)
