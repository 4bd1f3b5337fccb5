"""Starts tools as the command line does, in this process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from rtap.cli.guard import guarded


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """Lines on standard error that do not report progress."""
        return [line for line in self.err.splitlines() if not line.endswith(" ...")]


Start = Callable[..., Done]


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Start:
    def run(main: Callable[[Sequence[str]], int], *arguments: str | Path) -> Done:
        capsys.readouterr()
        status = guarded("tool", lambda: main([str(argument) for argument in arguments]))
        return Done(status, *capsys.readouterr())

    return run


class SmallDisk(NamedTuple):
    """A file system of a size that a test chooses."""

    path: Path

    def resize(self, kilobytes: int) -> None:
        options = f"remount,size={kilobytes}k"
        subprocess.run(["mount", "-o", options, str(self.path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(path)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    yield SmallDisk(path)
    subprocess.run(["umount", str(path)], check=True)
