"""What tests of flashing share: an image, an invented machine, and real loop devices."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.tools.system.disk_image.sample_image import Sample, make_sample
from tests.tools.system.flashing.fake_machine import FakeMachine

Attach = Callable[[Path], Path]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Never change it."""
    return make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path / "machine")


@pytest.fixture
def attach() -> Iterator[Attach]:
    """Makes loop devices of files."""
    if os.geteuid() != 0 or shutil.which("losetup") is None:
        pytest.skip("loop devices take root and losetup")
    with ExitStack() as stack:

        def run(file: Path) -> Path:
            command = ["losetup", "--find", "--show", str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no loop device here: {done.stderr.strip()}")
            device = done.stdout.strip()
            stack.callback(subprocess.run, ["losetup", "--detach", device], check=True)
            return Path(device)

        yield run
