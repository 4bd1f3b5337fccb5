"""Makes a disk image by our wks file, without wic, which comes with Yocto's sources only."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.programs import run

MEBIBYTE: Final = 1 << 20
_TYPES: Final = {"vfat": "c", "ext4": "83"}


@dataclass(frozen=True, slots=True)
class Part:
    """A ``part`` line."""

    offset: int
    """Bytes from the disk's beginning."""
    size: int
    """Bytes."""
    file_system: str | None
    label: str | None
    kind: str
    """The MBR's, in hexadecimal digits."""
    active: bool


def read_layout(wks: Path, variables: Mapping[str, str]) -> list[Part]:
    """Read the partitions of a wks file.

    Raises:
        ConfigurationError: it has a line or a variable that is not understood.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in variables:
            raise ConfigurationError(f"{wks.name} names {found[0]}, which the layer does not set")
        return variables[found[1]]

    text = re.sub(r"\$\{(\w+)\}", value, wks.read_text())
    return [_part(line) for line in text.splitlines() if line.startswith("part ")]


def write_disk(
    target: Path, layout: Sequence[Part], identifier: str, root: Path, boot_files: Path
) -> None:
    """Make the file systems and put them where the layout says; the data partition stays unformatted.

    Args:
        identifier: the disk's, eight hexadecimal digits.
    """
    last = layout[-1]
    target.unlink(missing_ok=True)
    with target.open("wb") as image:
        image.truncate(last.offset + last.size)
    table = ["label: dos", f"label-id: 0x{identifier}", *map(_sfdisk_line, layout)]
    run(["sfdisk", "--quiet", target], text="\n".join(table) + "\n")
    for part in layout:
        if part.file_system is None:
            continue
        piece = target.with_name(f"{target.name}.part")
        with piece.open("wb") as image:
            image.truncate(part.size)
        if part.file_system == "vfat":
            run(["mkfs.vfat", "-n", part.label or "", piece])
            run(["mcopy", "-i", piece, *sorted(boot_files.iterdir()), "::"])
        else:
            names = ["-t", part.file_system, "-L", part.label or ""]
            run(["mke2fs", "-q", *names, "-d", root, piece])
        place = [f"seek={part.offset // MEBIBYTE}", f"bs={MEBIBYTE}", "conv=notrunc,sparse"]
        run(["dd", f"if={piece}", f"of={target}", "status=none", *place])
        piece.unlink()
    run(["bmaptool", "create", "-o", f"{target}.bmap", target])


def missing_programs() -> list[str]:
    """Those of this module that are not installed."""
    wanted = ("sfdisk", "mkfs.vfat", "mcopy", "mke2fs", "dd", "bmaptool")
    return [name for name in wanted if shutil.which(name) is None]


def _part(line: str) -> Part:
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_argument("where", nargs="*")
    for option in ("--source", "--ondisk", "--fstype", "--label", "--system-id"):
        parser.add_argument(option)
    for option in ("--offset", "--fixed-size"):
        parser.add_argument(option, type=_bytes)
    for option in ("--active", "--no-fstab-update"):
        parser.add_argument(option, action="store_true")
    try:
        found, rest = parser.parse_known_args(shlex.split(line)[1:])
    except argparse.ArgumentError as error:
        raise ConfigurationError(
            f"the disk's layout is not understood here ({error}): {line}"
        ) from error
    kind = found.system_id or _TYPES.get(found.fstype)
    if rest or kind is None or None in {found.offset, found.fixed_size}:
        raise ConfigurationError(f"the disk's layout is not understood here: {line}")
    return Part(
        found.offset,
        found.fixed_size,
        found.fstype,
        found.label,
        kind.removeprefix("0x"),
        found.active,
    )


def _bytes(text: str) -> int:
    return int(text.removesuffix("M")) * MEBIBYTE


def _sfdisk_line(part: Part) -> str:
    sectors = f"start={part.offset // 512}, size={part.size // 512}, type={part.kind}"
    return sectors + (", bootable" if part.active else "")
