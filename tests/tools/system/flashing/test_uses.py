"""Uses, through partitions, LVM, encryption, RAID and loop devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.system.flashing.fake_machine import FakeMachine
from tools.system.flashing.block_devices import read_disks
from tools.system.flashing.uses import Use, read_uses


def uses(machine: FakeMachine) -> dict[str, list[str]]:
    found = read_uses(read_disks(machine.sys), machine.proc)
    return {name: [str(use) for use in all_of_it] for name, all_of_it in found.items()}


def test_free_disk_has_none(machine: FakeMachine) -> None:
    machine.disk("sdb", partitions=("sdb1",))
    assert uses(machine) == {}


def test_mounted_partition(machine: FakeMachine) -> None:
    machine.disk("sdb", partitions=("sdb1", "sdb2"))
    machine.mount_device("sdb2", "/media/me/my\\040card")
    assert uses(machine) == {"sdb": ["sdb2 mounted on /media/me/my card"]}


def test_swap_partition(machine: FakeMachine) -> None:
    machine.disk("sda", partitions=("sda1",))
    machine.swap("/dev/sda1")
    assert uses(machine) == {"sda": ["sda1 used for swap"]}


def test_swap_file(machine: FakeMachine) -> None:
    machine.disk("sda", partitions=("sda1",))
    machine.disk("sdb", partitions=("sdb1",))
    machine.mount_device("sda1", "/")
    machine.mount_device("sdb1", "/srv")
    machine.swap("/srv/swapfile")
    assert "sdb1 used for swap" in uses(machine)["sdb"]
    assert "sda1 used for swap" not in uses(machine)["sda"]


def test_root_on_lvm_on_encryption_on_raid(machine: FakeMachine) -> None:
    for name in ("sda", "sdb", "sdc"):
        machine.disk(name, partitions=(f"{name}1",))
    machine.disk("md0")
    machine.disk("dm-0", dm__name="crypt")
    machine.disk("dm-1", dm__name="vg-root")
    machine.stands_on("md0", "sda1", "sdb1")
    machine.stands_on("dm-0", "md0")
    machine.stands_on("dm-1", "dm-0")
    machine.mount_device("dm-1", "/")
    found = uses(machine)
    assert "sda1 mounted on /" in found["sda"]
    assert "sdb1 mounted on /" in found["sdb"]
    assert "sdc" not in found


def test_unmounted_volume_group_is_a_use(machine: FakeMachine) -> None:
    machine.disk("sdb", partitions=("sdb1",))
    machine.disk("dm-0")
    machine.stands_on("dm-0", "sdb1")
    assert uses(machine)["sdb"] == ["sdb1 used for dm-0"]


def test_loop_device_over_a_file_on_a_card(machine: FakeMachine) -> None:
    machine.disk("sda", partitions=("sda1",))
    machine.disk("sdb", partitions=("sdb1",))
    machine.disk("loop3", partitions=("loop3p1",), loop__backing_file="/live/disk.img")
    machine.mount_device("sda1", "/")
    machine.mount_device("sdb1", "/live")
    machine.mount_device("loop3p1", "/home")
    found = uses(machine)
    assert "sdb1 mounted on /home" in found["sdb"]
    assert "sda1 mounted on /home" not in found["sda"]


def test_btrfs_has_a_number_of_its_own(machine: FakeMachine) -> None:
    machine.disk("nvme0n1", partitions=("nvme0n1p2",))
    machine.mount("0:30", "/", "/dev/nvme0n1p2")
    assert uses(machine) == {"nvme0n1": ["nvme0n1p2 mounted on /"]}


def test_mapped_name_as_source(machine: FakeMachine) -> None:
    machine.disk("sda", partitions=("sda2",))
    machine.disk("dm-0", dm__name="vg-home")
    machine.stands_on("dm-0", "sda2")
    machine.mount("0:31", "/home", "/dev/mapper/vg-home")
    assert "sda2 mounted on /home" in uses(machine)["sda"]


def test_machine_without_swap(machine: FakeMachine) -> None:
    (machine.proc / "swaps").unlink()
    assert uses(machine) == {}


@pytest.mark.parametrize(
    ("target", "is_system"),
    [
        ("/", True),
        ("/boot/efi", True),
        ("/home", True),
        ("/usr", True),
        ("/media/me/boot", False),
        ("/mnt", False),
        ("/run/media/me/home", False),
    ],
)
def test_what_the_machine_cannot_do_without(target: str, *, is_system: bool) -> None:
    assert Use("sda1", target).is_system is is_system


def test_swap_is_system() -> None:
    assert Use("sda1", "swap", is_mount=False).is_system
    assert not Use("sda1", "dm-0", is_mount=False).is_system


def test_root_of_this_machine_is_in_use() -> None:
    disks = read_disks()
    device = Path("/").stat().st_dev
    if device >> 8 == 0:
        pytest.skip("the root file system here has no disk")
    assert any(use.target == "/" for one in read_uses(disks).values() for use in one)
