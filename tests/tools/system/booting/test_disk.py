"""Images: unpacked, their kernel taken out, and disks on top of them."""

from __future__ import annotations

import bz2
import json
import os
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, RTAPException, StorageError
from tests.tools.conftest import SmallDisk, small_disk
from tests.tools.system.booting.small_image import make_image, needs
from tests.tools.system.disk_image.sample_image import DISK_ID, mbr
from tools.system.booting import disk
from tools.system.booting.disk import BootFiles
from tools.system.disk_image.image_file import DamagedImageError

__all__ = ["small_disk"]

ROOT = f"root=PARTUUID={DISK_ID:08x}-02"
GIB = 2**30


def make_ext4(path: Path) -> Path:
    content = bytearray(4096)
    content[1080:1082] = b"\x53\xef"
    path.write_bytes(content)
    return path


def test_everything_in_the_boot_partition_is_taken(tmp_path: Path) -> None:
    files = {
        "kernel8.img": b"kernel",
        "initramfs8": b"initramfs",
        "cmdline.txt": b"console=serial0,115200 quiet root=/dev/mmcblk0p2\n",
    }
    found = BootFiles.from_image(make_image(tmp_path / "a.wic", files), tmp_path, "debug")
    assert found.kernel.read_bytes() == b"kernel"
    assert found.initrd is not None
    assert found.initrd.read_bytes() == b"initramfs"
    assert found.command_line == f"{ROOT} quiet console=ttyAMA0 debug"
    assert found.device_tree is None


def test_only_a_kernel(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.wic", {"KERNEL8.IMG": b"kernel"})
    found = BootFiles.from_image(image, tmp_path)
    assert found.initrd is None
    assert found.command_line == f"{ROOT} rootfstype=ext4 rootwait ro console=ttyAMA0"


def test_no_kernel(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.wic", {"config.txt": b""})
    with pytest.raises(ConfigurationError, match=r"has no kernel8.img in partition 1: .*--kernel"):
        BootFiles.from_image(image, tmp_path)


def test_boot_partition_without_a_file_system(tmp_path: Path) -> None:
    needs("mdir")
    image = tmp_path / "a.wic"
    image.write_bytes(mbr() + bytes(2 * 2**20))
    with pytest.raises(RTAPException, match="partition 1 is no FAT file system"):
        BootFiles.from_image(image, tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", bytes(1024)])
def test_no_image(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "a.wic"
    image.write_bytes(content)
    with pytest.raises(ConfigurationError, match="no disk image of ours"):
        BootFiles.from_image(image, tmp_path)


def test_one_partition_is_not_ours(tmp_path: Path) -> None:
    image = tmp_path / "a.wic"
    image.write_bytes(mbr(((0x83, 2**20, 2**20),)))
    with pytest.raises(ConfigurationError, match="no boot and root partition"):
        BootFiles.from_image(image, tmp_path)


def test_mtools_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image(tmp_path / "a.wic", {"kernel8.img": b"kernel"})
    monkeypatch.setenv("PATH", str(tmp_path))
    message = (
        "mdir is not installed: run tools/setup/install_packages.sh @tools/setup/packages/boot.txt"
    )
    with pytest.raises(ConfigurationError, match=message):
        BootFiles.from_image(image, tmp_path)


def test_given_kernel(tmp_path: Path) -> None:
    kernel = tmp_path / "Image"
    kernel.write_bytes(b"kernel")
    root = make_ext4(tmp_path / "root.ext4")
    found = BootFiles.given(root, kernel, None, "quiet")
    assert found.command_line.startswith("root=/dev/vda rootfstype=ext4")
    assert found.command_line.endswith("console=ttyAMA0 quiet")
    image = tmp_path / "a.wic"
    image.write_bytes(mbr())
    assert BootFiles.given(image, kernel, kernel).command_line.startswith(f"{ROOT} ")
    with pytest.raises(ConfigurationError, match="nowhere is no file"):
        BootFiles.given(root, kernel, tmp_path / "nowhere")


def test_overlay_grows_and_leaves_the_image_alone(tmp_path: Path) -> None:
    needs("qemu-img", "qemu-io")
    image = tmp_path / "a.wic"
    image.write_bytes(b"a" * 4096)
    target = disk.overlay(image, tmp_path / "deep/er/disk.qcow2", GIB)
    told = subprocess.run(
        ["qemu-img", "info", "--output=json", target], capture_output=True, check=True
    )
    facts = json.loads(told.stdout)
    assert (facts["virtual-size"], facts["backing-filename-format"]) == (GIB, "raw")
    subprocess.run(["qemu-io", "-c", "write -P 66 0 4k", target], capture_output=True, check=True)
    assert image.read_bytes() == b"a" * 4096
    disk.require_overlay_of(image, target)


def test_overlay_is_never_smaller_than_the_image(tmp_path: Path) -> None:
    needs("qemu-img")
    image = tmp_path / "a.wic"
    image.write_bytes(bytes(1000))
    target = disk.overlay(image, tmp_path / "disk", 1)
    told = subprocess.run(
        ["qemu-img", "info", "--output=json", target], capture_output=True, check=True
    )
    assert json.loads(told.stdout)["virtual-size"] == 1024


def test_overlay_of_another_image(tmp_path: Path) -> None:
    needs("qemu-img")
    images = [tmp_path / "a.wic", tmp_path / "b.wic"]
    for image in images:
        image.write_bytes(bytes(1024))
    target = disk.overlay(images[0], tmp_path / "disk", GIB)
    with pytest.raises(ConfigurationError, match=r"stands on .*a.wic, not on .*b.wic: delete it"):
        disk.require_overlay_of(images[1], target)
    with pytest.raises(ConfigurationError, match="stands on no image"):
        disk.require_overlay_of(images[1], images[0])
    os.utime(images[0], ns=(0, target.stat().st_mtime_ns + 10**9))
    with pytest.raises(ConfigurationError, match="changed after"):
        disk.require_overlay_of(images[0], target)


def test_overlay_on_a_full_disk(tmp_path: Path, small_disk: SmallDisk) -> None:
    needs("qemu-img")
    image = tmp_path / "a.wic"
    image.write_bytes(bytes(1024))
    small_disk.resize(16)
    target = small_disk.path / "disk"
    with pytest.raises(StorageError, match="its disk is full"):
        disk.overlay(image, target, GIB)
    assert not target.exists()


def test_plain_image_is_not_copied(tmp_path: Path) -> None:
    image = tmp_path / "a.wic"
    image.write_bytes(bytes(10))
    assert disk.unpacked(image, tmp_path / "cache") == image
    assert not (tmp_path / "cache").exists()


def test_unpacked_once_and_sparsely(tmp_path: Path) -> None:
    content = b"begin" + bytes(20 * 2**20) + b"middle" + bytes(3 * 2**20)
    image = tmp_path / "a.wic.bz2"
    image.write_bytes(bz2.compress(content, 1))
    cache = tmp_path / "cache"
    target = disk.unpacked(image, cache)
    assert target.read_bytes() == content
    assert target.stat().st_blocks * 512 < 2**20
    inode = target.stat().st_ino
    assert disk.unpacked(image, cache).stat().st_ino == inode
    assert [file.name for file in cache.iterdir()] == [target.name]


def test_changed_image_replaces_the_unpacked_one(tmp_path: Path) -> None:
    image = tmp_path / "a.wic.bz2"
    cache = tmp_path / "cache"
    image.write_bytes(bz2.compress(b"one"))
    before = disk.unpacked(image, cache)
    image.write_bytes(bz2.compress(b"other"))
    after = disk.unpacked(image, cache)
    assert after.read_bytes() == b"other"
    assert not before.exists()


def test_truncated_archive_leaves_nothing(tmp_path: Path) -> None:
    image = tmp_path / "a.wic.bz2"
    image.write_bytes(bz2.compress(os.urandom(10000))[:-20])
    with pytest.raises(DamagedImageError, match=r"a.wic.bz2 cannot be unpacked"):
        disk.unpacked(image, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_room_to_unpack(tmp_path: Path, small_disk: SmallDisk) -> None:
    image = tmp_path / "a.wic.bz2"
    image.write_bytes(bz2.compress(os.urandom(2**20)))
    small_disk.resize(64)
    with pytest.raises(StorageError, match="its disk is full"):
        disk.unpacked(image, small_disk.path)
    assert list(small_disk.path.iterdir()) == []


def test_missing_image(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no file"):
        disk.unpacked(tmp_path / "nowhere.wic", tmp_path)
