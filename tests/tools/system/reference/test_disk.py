"""tools.system.reference.disk: a small disk, laid out by a wks file and read back with Debian's tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.process.programs import BuildError
from tools.system.disk_image.partition_table import read_table
from tools.system.image_checks.wic_image import mapped_bytes
from tools.system.reference.assemble import WKS
from tools.system.reference.disk import MEBIBYTE, Part, missing_programs, read_layout, write_disk
from tools.system.yocto.layer import layer_variables

IDENTIFIER = "1234abcd"
LAYOUT = """\
# a comment
bootloader --ptable msdos --source reflashable_disk
part --source bootimg-partition --ondisk sda --fstype vfat --label boot --active --offset 1M --fixed-size 4M
part / --source rootfs --ondisk sda --fstype ext4 --label root --offset 5M --fixed-size ${ROOT}M
part --ondisk sda --source empty --offset 16M --fixed-size 2M --system-id 0x83 --no-fstab-update
"""
programs = pytest.mark.skipif(
    bool(missing_programs()), reason=f"not installed: {', '.join(missing_programs())}"
)


def layout(place: Path, text: str = LAYOUT) -> list[Part]:
    wks = place / "small.wks"
    wks.write_text(text)
    return read_layout(wks, {"ROOT": "8"})


def test_layout_is_read(tmp_path: Path) -> None:
    assert layout(tmp_path) == [
        Part(1 * MEBIBYTE, 4 * MEBIBYTE, "vfat", "boot", "c", active=True),
        Part(5 * MEBIBYTE, 8 * MEBIBYTE, "ext4", "root", "83", active=False),
        Part(16 * MEBIBYTE, 2 * MEBIBYTE, None, None, "83", active=False),
    ]


def test_layout_of_the_layer() -> None:
    boot, root, data = read_layout(WKS, layer_variables())
    assert (boot.file_system, root.file_system, data.file_system) == ("vfat", "ext4", None)
    assert boot.offset + boot.size == root.offset
    assert root.offset + root.size <= data.offset == 4096 * MEBIBYTE


@pytest.mark.parametrize(
    "line",
    [
        "part / --fstype ext4 --offset 5M --fixed-size 8M --unheard-of",
        "part / --fstype ext4 --offset 5M",
        "part / --fstype ext4 --fixed-size 5M",
        "part / --fstype ext4 --offset 5G --fixed-size 8M",
        "part / --fstype btrfs --offset 5M --fixed-size 8M",
        "part / --offset 5M --fixed-size 8M",
    ],
)
def test_line_that_is_not_understood(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the disk's layout is not understood here") as e:
        layout(tmp_path, f"{line}\n")
    assert line in str(e.value)


def test_variable_that_nobody_sets(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^small\.wks names \$\{OTHER\}"):
        layout(tmp_path, "part / --offset ${OTHER}M\n")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root, boot = tmp_path / "root", tmp_path / "boot files"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("small\n")
    boot.mkdir()
    (boot / "kernel8.img").write_text("the kernel")
    (boot / "cmdline.txt").write_text("ro\n")
    target = tmp_path / "small.wic"
    write_disk(target, layout(tmp_path), IDENTIFIER, root, boot)
    return target


def probe(disk: Path, part: Part) -> dict[str, str]:
    place = ["--offset", str(part.offset), "--size", str(part.size)]
    command = ["blkid", "--probe", *place, "--output", "export", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@programs
def test_disk_is_as_the_layout_says(disk: Path, tmp_path: Path) -> None:
    parts = layout(tmp_path)
    sector = disk.read_bytes()[:512]
    table = read_table(sector)
    assert table is not None
    assert table.disk_id == int(IDENTIFIER, 16)
    assert [(one.start, one.length) for one in table.partitions] == [
        (part.offset, part.size) for part in parts
    ]
    # First byte: active or not. Fifth: the type.
    entries = [sector[446 + 16 * number :][:16] for number in range(3)]
    assert [(entry[0], entry[4]) for entry in entries] == [(0x80, 0x0C), (0, 0x83), (0, 0x83)]
    assert disk.stat().st_size == 18 * MEBIBYTE
    assert not disk.with_name("small.wic.part").exists()


@programs
def test_file_systems(disk: Path, tmp_path: Path) -> None:
    boot, root, data = layout(tmp_path)
    found = [probe(disk, part) for part in (boot, root)]
    assert [(one["TYPE"], one["LABEL"]) for one in found] == [("vfat", "boot"), ("ext4", "root")]
    assert "TYPE" not in probe(disk, data)
    read = ["mtype", "-i", f"{disk}@@{boot.offset}", "::/cmdline.txt"]
    assert subprocess.run(read, capture_output=True, check=True).stdout == b"ro\n"
    show = ["debugfs", "-R", "cat /etc/hostname", f"{disk}?offset={root.offset}"]
    assert subprocess.run(show, capture_output=True, check=True).stdout == b"small\n"


@programs
def test_a_reflash_spares_the_data(disk: Path, tmp_path: Path) -> None:
    boot, root, data = layout(tmp_path)
    ranges = mapped_bytes(disk.with_name("small.wic.bmap").read_text())
    assert [one for one in ranges if one[1] >= data.offset] == []
    for part in (boot, root):
        assert any(part.offset <= first < part.offset + part.size for first, _ in ranges)


@programs
def test_an_earlier_disk_is_replaced(disk: Path, tmp_path: Path) -> None:
    with disk.open("r+b") as image:
        image.seek(17 * MEBIBYTE)
        image.write(b"old data")
    write_disk(disk, layout(tmp_path), IDENTIFIER, tmp_path / "root", tmp_path / "boot files")
    assert b"old data" not in disk.read_bytes()


@programs
def test_a_root_that_is_too_large(tmp_path: Path) -> None:
    root, boot = tmp_path / "root", tmp_path / "boot"
    root.mkdir()
    boot.mkdir()
    (boot / "file").touch()
    (root / "large").write_bytes(b"x" * 9 * MEBIBYTE)
    with pytest.raises(BuildError, match=r"^mke2fs failed with status 1: "):
        write_disk(tmp_path / "small.wic", layout(tmp_path), IDENTIFIER, root, boot)
