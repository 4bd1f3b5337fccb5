"""The plan that one process hands to another, and what it says when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools.root import ROOT
from tools.system.reference.assemble import Plan


def plan(place: Path) -> Plan:
    return Plan(
        target=str(place / "image.wic"),
        debian=(str(place / "a.deb"), str(place / "b ü.deb")),
        container=str(place / "container"),
        gui=str(place / "gui"),
        model="",
        packages=(),
        version="1.2.3",
        build="build-4",
        debug=True,
        work=str(place / "work"),
    )


@pytest.mark.parametrize("debug", [True, False])
def test_what_is_written_is_read(tmp_path: Path, debug: bool) -> None:  # noqa: FBT001
    written = replace(plan(tmp_path), debug=debug, packages=("one.deb",))
    written.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == written


def assemble(written: Plan, place: Path) -> subprocess.CompletedProcess[str]:
    written.write(place / "plan.json")
    paths = f"{ROOT}:{ROOT / 'backend'}"
    return subprocess.run(
        [sys.executable, "-P", "-m", "tools.system.reference.assemble", str(place / "plan.json")],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_fault_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_text("no package")
    done = assemble(replace(plan(tmp_path), debian=(str(tmp_path / "a.deb"),)), tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("reference_image: error: a.deb is damaged")
    assert list((tmp_path / "work").iterdir()) == []
    assert not (tmp_path / "image.wic").exists()
