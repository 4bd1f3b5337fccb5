"""The disk image that wic makes of our layout: partitions, labels, boot files, data that a reflash spares.

The root file system is made of our packages; the boot partition has the real cmdline.txt and config.txt, and
made-up kernels. What is checked is the image, with Debian's tools, not the layout's text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.process.run import run
from tools.system.image_checks.masked_build import deployed, masked_folder
from tools.system.image_checks.packages import built_packages
from tools.system.image_checks.verdict import CannotCheck, CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.layer import LAYER, layer_variables

WKS: Final = "voice-assistant.wks.in"
SECTOR: Final = 512
MEBIBYTE: Final = 1 << 20
_KERNEL: Final = ("kernel8.img", "bcm2711-rpi-4-b.dtb", "start4.elf", "fixup4.dat")
_ARGUMENTS: Final = ("rootwait", "ro", "cgroup_enable=memory", "rootfstype=ext4")


@dataclass(frozen=True, slots=True)
class Disk:
    """An image that wic made."""

    image: Path
    bmap: Path
    partitions: tuple[dict[str, Any], ...]
    """As sfdisk tells them: ``start`` and ``size`` in sectors."""
    identifier: str

    def offset(self, number: int) -> int:
        """Bytes before a partition; the first is 1."""
        return int(self.partitions[number - 1]["start"]) * SECTOR

    def size(self, number: int) -> int:
        """Bytes of a partition."""
        return int(self.partitions[number - 1]["size"]) * SECTOR


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: wic makes another image than is meant."""
    variables = layout_variables()
    folder = workshop.cache / f"wic-{release}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    small = _make(workshop, release, folder / "small", variables, padding=0)
    large = _make(workshop, release, folder / "large", variables, padding=300 * MEBIBYTE)
    for disk in (small, large):
        _check_partitions(disk, variables)
        _check_boot(disk, folder, variables)
        _check_data(disk)
    places = [
        (disk.offset(number), disk.size(number)) for disk in (small, large) for number in (2, 3)
    ]
    if places[:2] != places[2:]:
        raise CheckFailed("a larger root moves the partitions: a reflash would lose the data")
    sizes = " and ".join(
        f"{disk.image.stat().st_blocks * 512 / 1e6:.0f} MB" for disk in (small, large)
    )
    shutil.rmtree(folder)
    data = small.offset(3) // MEBIBYTE
    return f"two roots ({sizes} on disk), data at {data} MiB in both, unformatted, not in the bmap"


def layout_variables() -> dict[str, str]:
    """The layer's ``VOICE_ASSISTANT_*`` variables with plain values."""
    found = layer_variables()
    if "VOICE_ASSISTANT_DATA_OFFSET_MB" not in found:
        raise CheckFailed("no VOICE_ASSISTANT_DATA_OFFSET_MB in meta-userapp/conf")
    return found


def _make(
    workshop: Workshop, release: str, folder: Path, variables: Mapping[str, str], padding: int
) -> Disk:
    packages = built_packages(workshop, release)
    built = masked_folder(workshop, release)
    boot_files = deployed(built) / "bootfiles"
    if not (boot_files / "cmdline.txt").is_file():
        raise CannotCheck(f"no boot files yet: run the check packages-{release} first")
    root, deploy = folder / "root", folder / "deploy"
    _fill_root(root, packages, padding)
    shutil.copytree(boot_files, deploy)
    for name in _KERNEL:
        (deploy / name).write_bytes(name.encode() * 1000)
    native = _native_sysroot(folder / "native")
    layers = [built.parent / "poky/meta", LAYER]
    settings = {
        "IMAGE_BASENAME": "core-image-base",
        "IMAGE_ROOTFS": str(root),
        "DEPLOY_DIR_IMAGE": str(deploy),
        "STAGING_DATADIR": str(native / "usr/share"),
        "RECIPE_SYSROOT_NATIVE": str(native),
        "IMAGE_BOOT_FILES": " ".join([*_KERNEL, "cmdline.txt", "config.txt"]),
        "HOSTTOOLS_DIR": "/usr/sbin:/usr/bin:/sbin:/bin",
        "TARGET_SYS": "aarch64-poky-linux",
        "BBLAYERS": " ".join(map(str, layers)),
        **variables,
    }
    environment = folder / "img.env"
    environment.write_text("".join(f'{name}="{value}"\n' for name, value in settings.items()))
    layout = folder / "voice-assistant.wks"
    template = (LAYER / "wic" / WKS).read_text()
    layout.write_text(re.sub(r"\$\{(\w+)\}", lambda found: settings[found[1]], template))
    output = folder / "out"
    poky = built.parent / "poky"
    command: list[str | Path] = [
        poky / "scripts/wic",
        "create",
        layout,
        "--vars",
        folder,
        "-e",
        "img",
        "-s",
    ]
    log = workshop.logs / f"wic-{release}-{folder.name}.log"
    paths = f"{poky / 'bitbake/bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
    process_environment = {
        "PATH": paths,
        "HOME": str(folder),
        "BUILDDIR": str(built),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",  # our plugin lies in the checkout
    }
    run(
        [*command, "-o", output, "-m"],
        log,
        name="wic",
        folder=folder,
        environment=process_environment,
        seconds=600,
    ).require_success()
    image = next(output.glob("*.direct"))
    return _disk(image)


def _disk(image: Path) -> Disk:
    done = subprocess.run(["sfdisk", "--json", str(image)], capture_output=True, check=True)
    table = json.loads(done.stdout)["partitiontable"]
    return Disk(
        image=image,
        bmap=image.with_name(f"{image.name}.bmap"),
        partitions=tuple(table["partitions"]),
        identifier=str(table["id"]),
    )


def _fill_root(root: Path, packages: list[Path], padding: int) -> None:
    root.mkdir(parents=True)
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
    for name in ("bin", "boot", "dev", "etc", "proc", "sys", "tmp", "data"):
        (root / name).mkdir(exist_ok=True)
    (root / "etc/fstab").write_text("proc /proc proc defaults 0 0\n")
    if padding:
        (root / "usr/share/padding").write_bytes(os.urandom(MEBIBYTE) * (padding // MEBIBYTE))


def _native_sysroot(folder: Path) -> Path:
    """All that wic looks for there; the rest of its programs are the host's."""
    (folder / "usr/bin/python3-native").mkdir(parents=True)
    (folder / "usr/bin/python3-native/python3").symlink_to("/usr/bin/python3")
    (folder / "usr/bin/bmaptool").symlink_to("/usr/bin/bmaptool")
    return folder


def _check_partitions(disk: Disk, variables: Mapping[str, str]) -> None:
    if len(disk.partitions) != 3:
        raise CheckFailed(f"{len(disk.partitions)} partitions instead of boot, root and data")
    for number in (1, 2, 3):
        if disk.offset(number) % (4 * MEBIBYTE):
            raise CheckFailed(
                f"partition {number} is not aligned to the erase blocks of cards (4 MiB)"
            )
    wanted = int(variables["VOICE_ASSISTANT_DATA_OFFSET_MB"]) * MEBIBYTE
    if disk.offset(3) != wanted:
        raise CheckFailed(f"data is at {disk.offset(3)} instead of {wanted}")
    identifier = variables.get("VOICE_ASSISTANT_DISK_ID")
    if identifier and int(disk.identifier, 16) != int(identifier, 16):
        raise CheckFailed(f"the disk's identifier is {disk.identifier}, not {identifier}")
    for number, label in ((1, "boot"), (2, "root")):
        found = _probe(disk, number).get("LABEL")
        if found != label:
            raise CheckFailed(f"partition {number} has the label {found!r} instead of {label!r}")


def _check_boot(disk: Disk, folder: Path, variables: Mapping[str, str]) -> None:
    boot = f"{disk.image}@@{disk.offset(1)}"
    listed = subprocess.run(
        ["mdir", "-b", "-i", boot, "::"], capture_output=True, text=True, check=True
    )
    names = {line.removeprefix("::/") for line in listed.stdout.split()}
    missing = sorted({*_KERNEL, "cmdline.txt", "config.txt"} - names)
    if missing:
        raise CheckFailed(f"the boot partition lacks {', '.join(missing)}")
    read = subprocess.run(
        ["mtype", "-i", boot, "::/cmdline.txt"], capture_output=True, text=True, check=True
    )
    arguments = read.stdout.split()
    root = f"root=PARTUUID={variables.get('VOICE_ASSISTANT_DISK_ID', '')}-02"
    lacking = [one for one in (root, *_ARGUMENTS) if one not in arguments]
    if lacking:
        raise CheckFailed(f"cmdline.txt lacks {', '.join(lacking)}: {read.stdout.strip()}")
    fstab = folder / "fstab"
    _copy_from_root(disk, "/etc/fstab", fstab)
    if "/dev/mmcblk" in fstab.read_text() or "/dev/sd" in fstab.read_text():
        raise CheckFailed("fstab names a device, which is another on other hardware")


def _copy_from_root(disk: Disk, path: str, target: Path) -> None:
    part = f"{disk.image}?offset={disk.offset(2)}"
    command = ["debugfs", "-R", f"dump {path} {target}", part]
    subprocess.run(command, capture_output=True, check=True)


def _check_data(disk: Disk) -> None:
    found = _probe(disk, 3)
    if found:
        raise CheckFailed(f"the data partition is formatted: {found}")
    start = disk.offset(3)
    for first, last in mapped_bytes(disk.bmap.read_text()):
        if last >= start:
            raise CheckFailed(f"the bmap writes bytes {first} to {last}; data begins at {start}")


def mapped_bytes(bmap: str) -> list[tuple[int, int]]:
    """First and last byte of each range that bmaptool writes."""
    tree = ET.fromstring(bmap)  # noqa: S314 (bmaptool wrote it a moment ago)
    size = int((tree.findtext("BlockSize") or "").strip())
    ranges = []
    for element in tree.iter("Range"):
        first, _, last = (element.text or "").strip().partition("-")
        ranges.append((int(first) * size, (int(last or first) + 1) * size - 1))
    return ranges


def _probe(disk: Disk, number: int) -> dict[str, str]:
    """What is in a partition; empty where nothing is known of it."""
    place = ["--offset", str(disk.offset(number)), "--size", str(disk.size(number))]
    command = ["blkid", "--probe", *place, "--output", "export", str(disk.image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    values = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    values.pop("DEVNAME", None)
    return values
