"""The kernel of the reference image, and the initramfs that Debian's kernel needs to find the root."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.programs import run

_MODULES: Final = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4", "crc32c_generic")
"""Between the kernel and the root; the product's kernel has them built in."""
# root=PARTUUID=DISK-NUMBER, which the kernel itself would understand if it had the driver of the disk.
_INIT: Final = """\
#!/bin/busybox sh
bin=/bin/busybox
$bin mount -t devtmpfs devtmpfs /dev
$bin mount -t proc proc /proc
$bin mount -t sysfs sysfs /sys
exec >/dev/console 2>&1 </dev/console
while read -r module; do $bin insmod "/modules/$module" || echo "initramfs: no $module"; done </modules/order
for word in $($bin cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; init=*) init=${word#init=} ;; esac
done
find_root() {
    case $root in PARTUUID=*) ;; *) [ -b "$root" ] && device=$root; return ;; esac
    identity=${root#PARTUUID=}
    for disk in /sys/block/vd*; do
        name=${disk##*/}
        # The disk's identifier, a little-endian number at byte 440.
        set -- $($bin dd if="/dev/$name" bs=1 skip=440 count=4 2>/dev/null | $bin hexdump -v -e '1/1 "%02x "')
        [ "$4$3$2$1" = "${identity%-*}" ] && device=/dev/$name$((1$($bin printf %s "${identity#*-}") - 100))
    done
    [ -b "$device" ]
}
waited=0
until find_root; do
    [ $waited -lt 30 ] || { echo "initramfs: no $root"; exec $bin sh; }
    waited=$((waited + 1))
    $bin sleep 1
done
$bin mount -t ext4 -o ro "$device" /root || exec $bin sh
$bin umount /proc /sys
$bin mount --move /dev /root/dev
exec $bin switch_root /root "${init:-/sbin/init}"
"""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that a root's packages brought."""

    release: str
    image: Path
    modules: Path
    """Folder with ``modules.dep``."""


def find_kernel(root: Path) -> Kernel:
    """The root's one kernel, with the index of its modules made."""
    images = sorted((root / "boot").glob("vmlinuz-*"))
    if len(images) != 1:
        raise ConfigurationError(
            f"{len(images)} kernels among the packages: remove .cache/reference"
        )
    release = images[0].name.removeprefix("vmlinuz-")
    run(["depmod", "--basedir", root, release])
    return Kernel(release, images[0], root / "usr/lib/modules" / release)


def write_boot_files(root: Path, kernel: Kernel, command_line: str, folder: Path) -> None:
    """Write what the boot partition holds, by the names that the Pi's firmware looks for."""
    shutil.copyfile(kernel.image, folder / "kernel8.img")
    (folder / "cmdline.txt").write_text(command_line + "\n")
    write_initramfs(root, kernel, folder / "initramfs8")


def write_initramfs(root: Path, kernel: Kernel, target: Path) -> None:
    """Pack busybox, the modules in the order they need each other, and a script."""
    tree = target.with_name(f"{target.name}.d")
    for name in ("bin", "dev", "modules", "proc", "root", "sys"):
        (tree / name).mkdir(parents=True)
    shutil.copy2(root / "usr/bin/busybox", tree / "bin/busybox")
    order = _in_order(kernel, _MODULES)
    for module in order:
        shutil.copyfile(kernel.modules / module, tree / "modules" / Path(module).name)
    (tree / "modules/order").write_text("".join(f"{Path(module).name}\n" for module in order))
    (tree / "init").write_text(_INIT)
    (tree / "init").chmod(0o755)
    names = "\n".join(sorted(str(path.relative_to(tree)) for path in tree.rglob("*")))
    archive = target.with_name(f"{target.name}.cpio").absolute()
    pack: list[str | Path] = [
        "cpio",
        "--create",
        "--format=newc",
        "--quiet",
        "--reproducible",
        "--file",
        archive,
    ]
    run(pack, text=names, folder=tree)
    target.write_bytes(gzip.compress(archive.read_bytes(), 6, mtime=0))
    archive.unlink()
    shutil.rmtree(tree)


def _in_order(kernel: Kernel, wanted: Iterable[str]) -> list[str]:
    """Files of modules, each after those it needs; what is built in has none."""
    needs: dict[str, list[str]] = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        module, _, others = line.partition(":")
        needs[module] = others.split()
    by_name = {Path(module).name.partition(".")[0].replace("-", "_"): module for module in needs}
    order: list[str] = []
    for name in wanted:
        found = by_name.get(name)
        if found is not None:
            # modprobe's order: the last named is needed first.
            order += [one for one in [*reversed(needs[found]), found] if one not in order]
    return order
