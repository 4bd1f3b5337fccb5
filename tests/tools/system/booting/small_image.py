"""Images with the product's layout and next to nothing in them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.tools.system.disk_image.sample_image import IMAGE_BYTES, PARTITIONS, mbr

_BOOT_AT: Final = PARTITIONS[0][1]
_BOOT_BYTES: Final = PARTITIONS[0][2]


def needs(*programs: str) -> None:
    """Skip the test where one is missing."""
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        pytest.skip(
            f"{', '.join(absent)} missing: run tools/setup/install_packages.sh @tools/setup/packages/boot.txt"
        )


def make_image(path: Path, files: Mapping[str, bytes]) -> Path:
    """Args: files: what is in the boot partition."""
    needs("mformat", "mcopy", "mdir")
    with path.open("wb") as stream:
        stream.write(mbr())
        stream.truncate(IMAGE_BYTES)
    place = f"{path}@@{_BOOT_AT}"
    subprocess.run(["mformat", "-i", place, "-T", str(_BOOT_BYTES // 512), "::"], check=True)
    for name, content in files.items():
        file = path.parent / "copied"
        file.write_bytes(content)
        subprocess.run(["mcopy", "-i", place, str(file), f"::{name}"], check=True)
        file.unlink()
    return path
