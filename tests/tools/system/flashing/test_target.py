"""What is refused, and that each refusal says what to do instead."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.flashing.fake_machine import GB, FakeMachine
from tools.system.flashing.block_devices import read_disks
from tools.system.flashing.target import Machine, Target, require_room
from tools.system.flashing.uses import read_uses

USB = "pci0000:00/usb1/1-2"


@pytest.fixture
def computer(machine: FakeMachine) -> FakeMachine:
    """A system disk, a data disk, a stick and an empty card reader."""
    machine.disk("sda", partitions=("sda1", "sda2"))
    machine.mount_device("sda2", "/")
    machine.disk("nvme0n1", partitions=("nvme0n1p1",), device__model="Other system")
    machine.disk("sdb", USB, 32 * GB, ("sdb1",), device__model="Ultra")
    machine.disk("mmcblk0", "soc/mmc_host/mmc0", 0, device__type="SD")
    return machine


def as_seen(machine: FakeMachine) -> Machine:
    disks = read_disks(machine.sys)
    return Machine(disks, read_uses(disks, machine.proc), lambda _path: stat.S_IFBLK)


def refusal(machine: FakeMachine, path: str, *, is_file_allowed: bool = False) -> str:
    with pytest.raises(ConfigurationError) as caught:
        as_seen(machine).target(Path(path), is_file_allowed=is_file_allowed)
    return str(caught.value)


def test_accepts_a_stick(computer: FakeMachine) -> None:
    target = as_seen(computer).target(Path("/dev/sdb"), is_file_allowed=False)
    assert target == Target(Path("/dev/sdb"), "sdb", 32 * GB, "Ultra", is_block=True)


def test_lists_no_built_in_disk_and_no_empty_reader(computer: FakeMachine) -> None:
    assert [disk.name for disk in as_seen(computer).removable()] == ["sdb"]


def test_refuses_the_system_disk_whatever_is_allowed(computer: FakeMachine) -> None:
    text = refusal(computer, "/dev/sda", is_file_allowed=True)
    assert "holds the system that runs here (sda2 mounted on /)" in text
    assert "--list" in text


@pytest.mark.parametrize("target", ["/boot", "/home"])
def test_refuses_a_stick_that_the_system_runs_from(computer: FakeMachine, target: str) -> None:
    computer.mount_device("sdb1", target)
    assert "holds the system" in refusal(computer, "/dev/sdb")


def test_refuses_a_stick_with_swap(computer: FakeMachine) -> None:
    computer.swap("/dev/sdb1")
    assert "holds the system" in refusal(computer, "/dev/sdb")


def test_refuses_a_built_in_disk_that_nobody_uses(computer: FakeMachine) -> None:
    text = refusal(computer, "/dev/nvme0n1", is_file_allowed=True)
    assert "(Other system) is built in, not a card" in text


def test_refuses_a_mounted_card_and_says_how_to_unmount(computer: FakeMachine) -> None:
    computer.mount_device("sdb1", "/media/me/boot")
    text = refusal(computer, "/dev/sdb")
    assert "in use (sdb1 mounted on /media/me/boot): umount /media/me/boot" in text


def test_refuses_a_card_below_a_volume(computer: FakeMachine) -> None:
    computer.disk("dm-0")
    computer.stands_on("dm-0", "sdb1")
    assert "close dm-0 first" in refusal(computer, "/dev/sdb")


def test_refuses_a_partition_and_names_the_device(computer: FakeMachine) -> None:
    text = refusal(computer, "/dev/sdb1")
    assert "is a partition" in text
    assert "/dev/sdb" in text.split("device, ")[1]


def test_refuses_a_locked_card(machine: FakeMachine) -> None:
    machine.disk("sdb", USB, ro="1")
    assert "slide the lock" in refusal(machine, "/dev/sdb")


def test_refuses_an_empty_reader(computer: FakeMachine) -> None:
    assert "put a card in" in refusal(computer, "/dev/mmcblk0")


def test_refuses_an_unknown_device(computer: FakeMachine) -> None:
    assert "is no disk" in refusal(computer, "/dev/sdz")


def test_loop_device_only_on_request(machine: FakeMachine) -> None:
    machine.disk("loop0", "virtual", 10**6)
    assert "add --file" in refusal(machine, "/dev/loop0")
    assert as_seen(machine).target(Path("/dev/loop0"), is_file_allowed=True).is_block


def test_mounted_loop_device_never(machine: FakeMachine) -> None:
    machine.disk("loop0", "virtual", 10**6)
    machine.mount_device("loop0", "/mnt")
    assert "umount /mnt" in refusal(machine, "/dev/loop0", is_file_allowed=True)


def test_only_card_is_found(computer: FakeMachine) -> None:
    assert as_seen(computer).only_removable() == Path("/dev/sdb")


def test_card_in_use_is_not_the_only_one(computer: FakeMachine) -> None:
    computer.mount_device("sdb1", "/mnt")
    with pytest.raises(ConfigurationError, match="no removable device that is not in use"):
        as_seen(computer).only_removable()


def test_one_of_two_cards_has_to_be_named(computer: FakeMachine) -> None:
    computer.disk("sdc", "pci0000:00/usb1/1-3")
    with pytest.raises(ConfigurationError, match="one of /dev/sdb, /dev/sdc"):
        as_seen(computer).only_removable()


def test_file_only_on_request(tmp_path: Path) -> None:
    file = tmp_path / "card.img"
    file.write_bytes(b"1234")
    machine = Machine([], {})
    with pytest.raises(ConfigurationError, match="is a file: add --file"):
        machine.target(file, is_file_allowed=False)
    target = machine.target(file, is_file_allowed=True)
    assert (target.bytes, target.is_block) == (4, False)


def test_new_file_has_no_size_yet(tmp_path: Path) -> None:
    file = tmp_path / "card.img"
    machine = Machine([], {})
    with pytest.raises(ConfigurationError, match="does not exist"):
        machine.target(file, is_file_allowed=False)
    assert machine.target(file, is_file_allowed=True).bytes is None
    assert not file.exists()


@pytest.mark.parametrize("path", ["/dev/no-such-card", "/dev/null", "/no-such-folder/x.img"])
def test_never_a_new_file_in_the_wrong_place(path: str) -> None:
    """A mistyped /dev/sdx must not become a file in /dev."""
    with pytest.raises(ConfigurationError):
        Machine([], {}).target(Path(path), is_file_allowed=True)


def test_too_small_names_both_sizes() -> None:
    target = Target(Path("/dev/sdb"), "sdb", 4_000_000_000, "", is_block=True)
    with pytest.raises(ConfigurationError, match=r"has 4\.0 GB .* takes 4\.4 GB .* larger card"):
        require_room(target, 4_400_000_000)
    require_room(target, 4_000_000_000)
