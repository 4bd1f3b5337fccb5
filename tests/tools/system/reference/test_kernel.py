"""tools.system.reference.kernel: the modules before the root, and the initramfs that loads them."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.process.programs import BuildError
from tools.system.reference.kernel import (
    _INIT,
    Kernel,
    _in_order,
    find_kernel,
    write_boot_files,
    write_initramfs,
)

# modprobe's order: what is needed first stands last.
MODULES_DEP = """\
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko kernel/fs/mbcache.ko
kernel/fs/jbd2/jbd2.ko:
kernel/lib/crc16.ko:
kernel/fs/mbcache.ko:
kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/virtio/virtio.ko:
kernel/crypto/crc32c-generic.ko:
"""
busybox = pytest.mark.skipif(
    shutil.which("busybox") is None or shutil.which("bash") is None, reason="needs busybox and bash"
)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    modules = tmp_path / "root/usr/lib/modules/6.1"
    for line in MODULES_DEP.splitlines():
        file = modules / line.partition(":")[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    (modules / "modules.dep").write_text(MODULES_DEP)
    boot = tmp_path / "root/boot"
    boot.mkdir()
    (boot / "vmlinuz-6.1").write_text("the kernel")
    (tmp_path / "root/usr/bin").mkdir()
    (tmp_path / "root/usr/bin/busybox").write_text("busybox")
    return Kernel("6.1", boot / "vmlinuz-6.1", modules)


def names(order: list[str]) -> list[str]:
    return [Path(module).name.partition(".")[0] for module in order]


def test_each_module_after_those_it_needs(kernel: Kernel) -> None:
    order = names(_in_order(kernel, ["virtio_pci", "ext4"]))
    assert order == ["virtio", "virtio_ring", "virtio_pci", "mbcache", "crc16", "jbd2", "ext4"]


def test_a_dash_is_an_underscore_and_what_is_built_in_is_left_out(kernel: Kernel) -> None:
    assert names(_in_order(kernel, ["built_in", "crc32c_generic"])) == ["crc32c-generic"]


def test_no_module_twice(kernel: Kernel) -> None:
    order = _in_order(kernel, ["virtio_ring", "virtio_pci", "virtio_pci"])
    assert len(order) == len(set(order)) == 3


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_initramfs_holds_what_its_script_uses(kernel: Kernel, tmp_path: Path) -> None:
    target = tmp_path / "boot files" / "initramfs8"
    target.parent.mkdir()
    write_initramfs(tmp_path / "root", kernel, target)
    assert list(target.parent.iterdir()) == [target]
    packed = gzip.decompress(target.read_bytes())
    listed = subprocess.run(
        ["cpio", "--list", "--quiet"], input=packed, capture_output=True, check=True
    )
    found = set(listed.stdout.decode().split())
    assert {"init", "bin/busybox", "dev", "proc", "sys", "root", "modules/order"} <= found
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    extract = ["cpio", "--extract", "--quiet"]
    subprocess.run(extract, input=packed, cwd=unpacked, capture_output=True, check=True)
    order = (unpacked / "modules/order").read_text().split()
    assert order[-1] == "crc32c-generic.ko"
    assert [one for one in order if not (unpacked / "modules" / one).is_file()] == []
    assert (unpacked / "init").stat().st_mode & 0o111


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_boot_files_by_the_boards_names(kernel: Kernel, tmp_path: Path) -> None:
    folder = tmp_path / "boot"
    folder.mkdir()
    write_boot_files(tmp_path / "root", kernel, "root=x ro", folder)
    assert {file.name for file in folder.iterdir()} == {"kernel8.img", "cmdline.txt", "initramfs8"}
    assert (folder / "kernel8.img").read_text() == "the kernel"
    assert (folder / "cmdline.txt").read_text() == "root=x ro\n"


@pytest.mark.parametrize("number", [0, 2])
def test_one_kernel_is_wanted(tmp_path: Path, number: int) -> None:
    (tmp_path / "boot").mkdir()
    for index in range(number):
        (tmp_path / f"boot/vmlinuz-{index}").touch()
    with pytest.raises(
        ConfigurationError, match=rf"^{number} kernels .* remove \.cache/reference$"
    ):
        find_kernel(tmp_path)


@pytest.mark.skipif(shutil.which("depmod") is None, reason="depmod is not installed")
def test_a_kernel_without_modules_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/vmlinuz-6.1").touch()
    with pytest.raises(BuildError, match=r"^depmod failed with status 1: "):
        find_kernel(tmp_path)


class Disks:
    """Runs the script's search for the root among disks that are files."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for name in ("sys/block", "dev"):
            (place / name).mkdir(parents=True)

    def add(self, name: str, identifier: int) -> None:
        (self.place / "sys/block" / name).mkdir()
        sector = bytes(440) + identifier.to_bytes(4, "little") + bytes(68)
        (self.place / "dev" / name).write_bytes(sector)
        for number in (1, 2, 3):
            (self.place / f"dev/{name}{number}").touch()

    def find(self, root: str) -> str:
        """The device that the script finds, less the place; nothing: none."""
        function = _INIT[_INIT.index("find_root() {") : _INIT.index("waited=0")]
        # Files stand for the devices.
        function = function.replace("[ -b ", "[ -f ")
        function = function.replace("/sys/block", f"{self.place}/sys/block")
        function = function.replace("/dev/$name", f"{self.place}/dev/$name")
        script = f'bin=$BUSYBOX\nroot=$1\n{function}\nif find_root; then echo "$device"; fi\n'
        program = shutil.which("busybox") or ""
        done = subprocess.run(
            [program, "sh", "-c", script, "sh", root],
            env={"BUSYBOX": program},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.strip().removeprefix(str(self.place))


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path / "machine")


@busybox
def test_root_is_found_by_the_disks_identifier(disks: Disks) -> None:
    disks.add("vda", 0x12345678)
    disks.add("vdb", 0x76617374)
    assert disks.find("PARTUUID=76617374-02") == "/dev/vdb2"
    assert disks.find("PARTUUID=12345678-01") == "/dev/vda1"


@busybox
@pytest.mark.parametrize("root", ["PARTUUID=76617374-02", "PARTUUID=12345678-09", "/nowhere"])
def test_root_that_is_not_there_is_not_found(disks: Disks, root: str) -> None:
    disks.add("vda", 0x12345678)
    assert disks.find(root) == ""


@busybox
def test_no_disk_yet(disks: Disks) -> None:
    assert disks.find("PARTUUID=76617374-02") == ""


@busybox
def test_root_by_its_device(disks: Disks) -> None:
    disks.add("vda", 1)
    assert disks.find(f"{disks.place}/dev/vda2") == "/dev/vda2"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_script_is_clean() -> None:
    # The words of hexdump are wanted one by one.
    check = ["shellcheck", "--shell=dash", "--exclude=SC2046", "-"]
    done = subprocess.run(check, input=_INIT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
