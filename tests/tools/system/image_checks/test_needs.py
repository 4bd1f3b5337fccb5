"""tools.system.image_checks.needs: what a check lacks, and how to get it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools.system.image_checks.conftest import make_workshop
from tools.system.image_checks import needs
from tools.system.image_checks.verdict import CannotCheck
from tools.system.image_checks.workshop import Workshop


def test_mirrors_that_are_all_there(tmp_path: Path) -> None:
    needs.mirrors(make_workshop(tmp_path / "cache", without_mirror=()))


def test_programs_are_looked_for_where_bitbake_looks(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "only-here"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    needs.programs("sh", str(program))(workshop)
    with pytest.raises(CannotCheck, match=r"no only-here: tools/setup/install_packages.sh @tools/"):
        needs.programs("sh", "only-here")(workshop)


def test_root(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotCheck, match="sudo tools/image_check"):
        needs.root(workshop)


def test_every_package_is_named_once() -> None:
    lines = needs.PACKAGES.read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    assert len(names) == len(set(names))
    assert {"pseudo", "shellcheck", "g++-aarch64-linux-gnu", "bmap-tools"} <= set(names)
