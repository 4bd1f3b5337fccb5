"""The medium itself: files, loop devices and full disks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.conftest import SmallDisk
from tests.tools.system.flashing.conftest import Attach
from tools.system.disk_image.image_file import CHUNK_BYTES
from tools.system.flashing.medium import MediumError, opened

MIB = 2**20


def blank(path: Path, length: int) -> Path:
    with path.open("wb") as file:
        file.truncate(length)
    return path


@pytest.mark.parametrize("length", [CHUNK_BYTES, 4096, 512, 513])
def test_file_takes_and_gives_any_length(tmp_path: Path, length: int) -> None:
    file = blank(tmp_path / "card", 8 * MIB)
    data = os.urandom(length)
    with opened(file, is_block=False) as medium:
        medium.write(MIB, data)
        medium.settle()
        assert medium.read(MIB, length) == data
    content = file.read_bytes()
    assert content[MIB : MIB + length] == data
    assert not content[:MIB].strip(b"\0")
    assert not content[MIB + length :].strip(b"\0")
    assert len(content) == 8 * MIB


def test_loop_device_takes_and_gives(tmp_path: Path, attach: Attach) -> None:
    device = attach(blank(tmp_path / "card", 8 * MIB))
    data = os.urandom(MIB + 512)
    with opened(device, is_block=True) as medium:
        assert medium.bytes == 8 * MIB
        medium.write(4096, data)
        medium.settle()
        assert medium.read(4096, len(data)) == data
    assert (tmp_path / "card").read_bytes()[4096 : 4096 + len(data)] == data


def test_reads_from_the_medium_not_from_the_cache(tmp_path: Path, attach: Attach) -> None:
    """What lies below changes after it was written, as on a card that forgets."""
    file = blank(tmp_path / "card", 8 * MIB)
    device = attach(file)
    with opened(device, is_block=True) as medium:
        medium.write(0, b"right" * 4096)
        medium.settle()
        with file.open("r+b") as below:
            below.write(b"wrong")
        assert medium.read(0, 5) == b"wrong"


def test_device_is_held_exclusively(tmp_path: Path, attach: Attach) -> None:
    device = attach(blank(tmp_path / "card", 8 * MIB))
    with (
        opened(device, is_block=True),
        pytest.raises(ConfigurationError, match="is in use: unmount"),
        opened(device, is_block=True),
    ):
        pass
    with opened(device, is_block=True):  # and let go afterwards
        pass


def test_mounted_device_cannot_be_opened(tmp_path: Path, attach: Attach) -> None:
    """The kernel's guard, should a mount escape ours."""
    file = blank(tmp_path / "card", 8 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True)
    device = attach(file)
    (tmp_path / "mnt").mkdir()
    done = subprocess.run(["mount", device, tmp_path / "mnt"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(ConfigurationError, match="is in use"), opened(device, is_block=True):
            pass
    finally:
        subprocess.run(["umount", tmp_path / "mnt"], check=True)


def test_device_fails_in_the_middle(small_disk: SmallDisk, attach: Attach) -> None:
    """The file below grows until its disk is full; the device then reports an error."""
    small_disk.resize(2048)
    device = attach(blank(small_disk.path / "card", 16 * MIB))
    with opened(device, is_block=True) as medium:
        medium.write(0, os.urandom(MIB))
        with pytest.raises(MediumError, match=r"could not be written .* another card") as caught:
            medium.write(MIB, os.urandom(4 * MIB))
    offset = int(str(caught.value).split("byte ")[1].split()[0])
    assert MIB <= offset <= 2 * MIB


def test_full_disk_below_a_file(small_disk: SmallDisk) -> None:
    small_disk.resize(2048)
    file = blank(small_disk.path / "card", 16 * MIB)
    with (
        opened(file, is_block=False) as medium,
        pytest.raises(MediumError, match=r"No space left.*free some space"),
    ):
        medium.write(0, os.urandom(4 * MIB))


def test_medium_that_ends_before_it_should(tmp_path: Path) -> None:
    file = blank(tmp_path / "card", MIB)
    with (
        opened(file, is_block=False) as medium,
        pytest.raises(MediumError, match=r"ends at byte 1048576 .* larger"),
    ):
        medium.read(MIB, 4096)


def test_says_sudo_when_not_allowed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = blank(tmp_path / "card", MIB)
    file.chmod(0)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(ConfigurationError, match="sudo"), opened(file, is_block=False):
        pass
