"""An image that is not for developing lets nobody in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.image.device import LOGIN_SECONDS, Device
from tools.root import ROOT
from tools.system.booting.console import ConsoleError

pytestmark = pytest.mark.image


@pytest.fixture(scope="module")
def released(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """$IMAGE_RELEASE, or a reference image that is no debug image."""
    if named := os.environ.get("IMAGE_RELEASE"):
        return Path(named)
    if os.environ.get("IMAGE"):
        pytest.skip("to try a release image, name it: IMAGE_RELEASE=NAME.wic.bz2")
    folder = tmp_path_factory.mktemp("release")
    build = [
        str(ROOT / "tools/reference_image"),
        "--release",
        "--model",
        "none",
        "--output",
        str(folder),
    ]
    subprocess.run(build, check=True)
    return folder / "debian-reference-arm64.wic"


def test_root_needs_a_password_that_nobody_has(released: Path, tmp_path: Path) -> None:
    device = Device(released, tmp_path)
    with device.switched_on() as machine:
        with pytest.raises(ConsoleError, match="a password is wanted"):
            machine.console.login(seconds=LOGIN_SECONDS)
        machine.console.send_line("")
        machine.console.expect("[Ll]ogin incorrect", 60)
