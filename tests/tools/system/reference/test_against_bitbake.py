"""What the recipes' own rules install here is what bitbake packs from them: ``pytest -m layer``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from rtap import __version__
from tools.gui.arm64_build import PROGRAM
from tools.system.image_checks.checks import CHECKS
from tools.system.image_checks.running import run_check
from tools.system.image_checks.sample_model import NAME as SAMPLE_MODEL
from tools.system.image_checks.workshop import Workshop
from tools.system.reference.payload import install_by_recipes, our_packages, unpack_package
from tools.system.yocto.images import DEFAULT_MACHINE

# The platform of QEMU's screen here, the board's there; docker of Debian is as old as kirkstone's.
_DIFFERENT = re.compile(
    rb'^(VOICE_ASSISTANT_PLATFORM=.*|  "deprecated-key-path": .*)\n', re.MULTILINE
)
# Packed from the program that CHECK_GUI_PROGRAM names, and stripped.
_COMPILED = f"/{PROGRAM}"


class Entry(NamedTuple):
    """A file, link or folder."""

    kind: str
    mode: int
    content: bytes


def entries(root: Path) -> dict[str, Entry]:
    """Everything below a root, but for folders that files are in."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = f"/{path.relative_to(root)}"
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[name] = Entry("link", 0, os.fsencode(path.readlink()))
        elif path.is_file():
            content = b"" if name == _COMPILED else _DIFFERENT.sub(b"", path.read_bytes())
            found[name] = Entry("file", mode, content)
        elif not any(path.iterdir()):
            found[name] = Entry("folder", mode, b"")
    return found


def enabled_by_presets(root: Path) -> set[str]:
    """What bitbake's class for units has written, which is taken away."""
    units: set[str] = set()
    for file in root.glob("usr/lib/systemd/system-preset/*.preset"):
        units |= {line.split()[1] for line in file.read_text().splitlines()}
        file.unlink()
    (root / "usr/lib/systemd/system-preset").rmdir()
    return units


@pytest.mark.layer
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("release", ["scarthgap", "kirkstone"])
def test_the_same_files(tmp_path: Path, release: str) -> None:
    workshop = Workshop.open(os.environ)
    # bitbake builds again what has changed since.
    with workshop.locked():
        verdict = run_check(CHECKS[f"packages-{release}"], workshop)
    if verdict.verdict == "skipped":
        pytest.skip(verdict.message)
    assert verdict.verdict == "ok", verdict.message

    packed, installed = tmp_path / "packed", tmp_path / "installed"
    for root in (packed, installed):
        (root / "usr/lib").mkdir(parents=True)
        # bitbake's root has no such link, and packs into /lib.
        (root / "lib").symlink_to("usr/lib")
    for package in our_packages(
        workshop.cache / release / f"{DEFAULT_MACHINE}-masked/tmp/deploy/deb"
    ):
        unpack_package(package, packed)
    program = tmp_path / "gui" / PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text("a program\n")
    program.chmod(0o755)
    sample = workshop.cache / "sample"
    places = (sample, tmp_path / "gui")
    payload = install_by_recipes(
        installed, *places, __version__, tmp_path / "work", sample / SAMPLE_MODEL
    )
    assert enabled_by_presets(packed) == set(payload.units)

    here, there = entries(installed), entries(packed)
    assert sorted(here) == sorted(there)
    assert {name: entry.mode for name, entry in here.items()} == {
        name: entry.mode for name, entry in there.items()
    }
    assert [name for name, entry in here.items() if entry != there[name]] == []
    assert len(here) > 20
