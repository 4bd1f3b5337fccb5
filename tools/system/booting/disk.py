"""An image as a machine needs it: unpacked, its kernel taken out, and a disk of its own on top."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from rtap.errors import ConfigurationError
from tools.system.booting import kernel_arguments, programs
from tools.system.booting.boot_error import BootError
from tools.system.disk_image.image_file import ImageFile
from tools.system.disk_image.partition_table import SECTOR, Partition, PartitionTable, read_table

KERNEL: Final = "kernel8.img"
_INITRD: Final = "initramfs8"
_COMMAND_LINE: Final = "cmdline.txt"
_BOOT, _ROOT = 1, 2
_EXT_MAGIC_AT: Final = 1024 + 56
_EXT_MAGIC: Final = b"\x53\xef"
_HOLE: Final = 65536
"""Zeros of this length become a hole in an unpacked image."""


@dataclass(frozen=True, slots=True)
class BootFiles:
    """What QEMU loads itself, as there is no boot loader."""

    kernel: Path
    initrd: Path | None
    command_line: str
    device_tree: Path | None = None
    """Only for a machine that is a board."""

    @classmethod
    def from_image(cls, image: Path, folder: Path, append: str = "") -> BootFiles:
        """Take them out of an unpacked image.

        Args:
            folder: gets copies of them.
            append: goes to the end of the kernel's command line.

        Raises:
            ConfigurationError: it is no image with a kernel.
        """
        table = _table(image)
        boot = table.partition(_BOOT)
        if boot is None or table.partition(_ROOT) is None:
            raise ConfigurationError(
                f"{image} has no boot and root partition: name an image of ours, or give --kernel"
            )
        files = _boot_folder(image, boot)
        kernel = _take(image, boot, files, KERNEL, folder)
        if kernel is None:
            raise ConfigurationError(
                f"{image} has no {KERNEL} in partition {_BOOT}: build it again, or give --kernel"
            )
        root = kernel_arguments.partition_uuid(table.disk_id, _ROOT)
        board = _take(image, boot, files, _COMMAND_LINE, folder)
        if board is None:
            line = kernel_arguments.for_root(root)
        else:
            line = kernel_arguments.from_board(board.read_text(errors="replace"), root)
        tree = _take(image, boot, files, "bcm2711-rpi-4-b.dtb", folder)
        initrd = _take(image, boot, files, _INITRD, folder)
        return cls(kernel, initrd, f"{line} {append}".strip(), tree)

    @classmethod
    def given(cls, image: Path, kernel: Path, initrd: Path | None, append: str = "") -> BootFiles:
        """A kernel from elsewhere, for a whole disk or for a root file system alone.

        Raises:
            ConfigurationError: a file is missing, or the image is neither.
        """
        for file in (kernel, initrd):
            if file is not None and not file.is_file():
                raise ConfigurationError(f"{file} is no file: name a kernel or an initramfs")
        if is_root_file_system(image):
            root = "/dev/vda"
        else:
            root = kernel_arguments.partition_uuid(_table(image).disk_id, _ROOT)
        line = kernel_arguments.for_root(root)
        return cls(kernel, initrd, f"{line} {append}".strip())


def is_root_file_system(image: Path) -> bool:
    """Whether the image is an ext2, 3 or 4 without partitions."""
    return _read(image, _EXT_MAGIC_AT, len(_EXT_MAGIC)) == _EXT_MAGIC


def overlay(image: Path, target: Path, size: int) -> Path:
    """A new disk that begins as the image and leaves it as it is.

    Args:
        size: of the disk in bytes; never less than the image's.

    Raises:
        StorageError: there is no room for it.
        RTAPException: it cannot be made.
    """
    length = max(size, image.stat().st_size)
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw"]
    target.parent.mkdir(parents=True, exist_ok=True)
    programs.run(
        [*command, "-b", image.resolve(), target, str(-(-length // SECTOR) * SECTOR)],
        advice=f"see whether {target.parent} can be written",
        target=target,
    )
    return target


def require_overlay_of(image: Path, disk: Path) -> None:
    """Raises: ConfigurationError: the disk was not made on top of this image, as it is now."""
    told = programs.run(
        ["qemu-img", "info", "--output=json", disk],
        advice=f"{disk} is no disk of ours: choose another --disk",
        target=disk,
    )
    below = json.loads(told).get("full-backing-filename")
    if below is None or Path(below).resolve() != image.resolve():
        raise ConfigurationError(
            f"{disk} stands on {below or 'no image'}, not on {image}: delete it or choose another --disk"
        )
    if image.stat().st_mtime > disk.stat().st_mtime:
        raise ConfigurationError(
            f"{image} was changed after {disk} was made on it: delete the disk or choose another --disk"
        )


def unpacked(image: Path, cache: Path) -> Path:
    """The image itself, or what a compressed one has in it, kept for the next time.

    Raises:
        ConfigurationError: there is no such file.
        DamagedImageError: it cannot be unpacked.
        StorageError: there is no room for it.
    """
    source = ImageFile(image)
    if not source.is_compressed:
        return image
    facts = image.stat()
    target = cache / f"{image.stem}.{facts.st_size:x}-{facts.st_mtime_ns:x}.raw"
    if target.is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=cache, prefix=f"{image.stem}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _write_sparsely(source, stream)
        # A disk that stands on it is compared with this time.
        os.utime(part, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        part.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise programs.disk_full(target) from error
        raise BootError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    for older in cache.glob(f"{image.stem}.*-*.raw"):
        if older != target:
            older.unlink(missing_ok=True)
    return target


def _write_sparsely(source: ImageFile, stream: BinaryIO) -> None:
    zeros = bytes(_HOLE)
    end = 0
    for chunk in source.all_chunks():
        view = memoryview(chunk.data)
        for at in range(0, len(view), _HOLE):
            piece = view[at : at + _HOLE]
            if piece != zeros[: len(piece)]:
                stream.seek(chunk.start + at)
                stream.write(piece)
        end = chunk.start + len(view)
    stream.truncate(end)


def _read(image: Path, at: int, length: int) -> bytes:
    try:
        with image.open("rb") as stream:
            stream.seek(at)
            return stream.read(length)
    except OSError as error:
        raise ConfigurationError(
            f"{image} cannot be read ({error.strerror}): name another image"
        ) from error


def _table(image: Path) -> PartitionTable:
    table = read_table(_read(image, 0, SECTOR))
    if table is None:
        raise ConfigurationError(
            f"{image} is no disk image of ours (it has no MBR): name a .wic or .wic.bz2, or give --kernel "
            "with a root file system"
        )
    return table


def _place(image: Path, partition: Partition) -> str:
    return f"{image}@@{partition.start}"


_MTOOLS: Final = {"MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": os.devnull}
"""It finds fault with the geometry of some file systems that every kernel reads."""


def _boot_folder(image: Path, boot: Partition) -> set[str]:
    """Names in the boot partition, in lower case."""
    listing = programs.run(
        ["mdir", "-b", "-i", _place(image, boot), "::"],
        advice="partition 1 is no FAT file system: build the image again, or give --kernel",
        target=image,
        environment=_MTOOLS,
    )
    return {line.removeprefix("::/").strip().lower() for line in listing.splitlines()}


def _take(image: Path, boot: Partition, files: set[str], name: str, folder: Path) -> Path | None:
    """A copy of a file of the boot partition; None: there is none."""
    if name not in files:
        return None
    target = folder / name
    programs.run(
        ["mcopy", "-n", "-o", "-i", _place(image, boot), f"::{name}", target],
        advice="the boot partition is damaged: build the image again",
        target=target,
        environment=_MTOOLS,
    )
    return target
