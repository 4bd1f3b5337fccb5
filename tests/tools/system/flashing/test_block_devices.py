"""Which disks count as cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.system.flashing.fake_machine import GB, FakeMachine
from tools.system.flashing.block_devices import SYS, Connection, read_disks

USB = "pci0000:00/usb1/1-2/host6"


@pytest.mark.parametrize(
    ("name", "where", "files", "connection"),
    [
        ("sda", "pci0000:00/ata1", {}, Connection.BUILT_IN),
        ("nvme0n1", "pci0000:00/nvme", {}, Connection.BUILT_IN),
        ("sdb", USB, {}, Connection.USB),
        ("sdc", "pci0000:00/ata2", {"removable": "1"}, Connection.REMOVABLE),
        ("mmcblk0", "soc/mmc_host/mmc0", {"device__type": "SD"}, Connection.CARD),
        ("mmcblk1", "soc/mmc_host/mmc1", {"device__type": "MMC"}, Connection.BUILT_IN),
        ("mmcblk1boot0", "soc/mmc_host/mmc1", {}, Connection.BUILT_IN),
        ("sr0", "pci0000:00/ata3", {"removable": "1"}, Connection.BUILT_IN),
        ("fd0", "platform", {"removable": "1"}, Connection.BUILT_IN),
        ("loop0", "virtual", {}, Connection.LOOP),
        ("zram0", "virtual", {}, Connection.BUILT_IN),
        ("dm-0", "virtual", {}, Connection.BUILT_IN),
    ],
)
def test_connection(
    machine: FakeMachine, name: str, where: str, files: dict[str, str], connection: Connection
) -> None:
    machine.disk(name, where, 32 * GB, (), **files)
    (disk,) = read_disks(machine.sys)
    assert disk.connection is connection
    removable = {Connection.CARD, Connection.USB, Connection.REMOVABLE}
    assert disk.is_removable is (connection in removable)


def test_size_model_lock_and_partitions(machine: FakeMachine) -> None:
    files = {"device__vendor": "SanDisk ", "device__model": "Ultra  ", "ro": "1"}
    machine.disk("sdb", USB, 32 * GB, ("sdb1", "sdb2"), **files)
    (disk,) = read_disks(machine.sys)
    assert (disk.bytes, disk.model, disk.read_only) == (32 * GB, "SanDisk Ultra", True)
    assert [node.name for node in disk.nodes] == ["sdb", "sdb1", "sdb2"]
    assert {node.disk for node in disk.nodes} == {"sdb"}
    assert disk.path == Path("/dev/sdb")


def test_card_has_its_name_for_a_model(machine: FakeMachine) -> None:
    machine.disk("mmcblk0", "soc/mmc_host/mmc0", device__type="SD", device__name="SD32G")
    assert read_disks(machine.sys)[0].model == "SD32G"


def test_reads_this_machine() -> None:
    assert {disk.name for disk in read_disks()} == {path.name for path in (SYS / "block").iterdir()}
