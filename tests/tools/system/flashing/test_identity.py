"""Each card gets a disk identity of its own: in its partition table and in its cmdline.txt."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.conftest import Start
from tests.tools.system.disk_image.sample_image import (
    BLOCK,
    DATA_START,
    DISK_ID,
    IMAGE_BYTES,
    MIB,
    Sample,
    bmap_text,
    make_sample,
    mbr,
)
from tests.tools.system.flashing.conftest import Attach
from tools.commands import flash
from tools.system.booting import programs
from tools.system.disk_image.image_file import Chunk
from tools.system.disk_image.partition_table import read_table
from tools.system.flashing.data_partition import DataPartition, Fate, fate
from tools.system.flashing.identity import Identity, Patch, draw, for_card

ALWAYS = ("--file", "--no-verify", "--yes")
COMMAND_LINE = (
    "dwc_otg.lpm_enable=0 console=serial0,115200 "
    f"root=PARTUUID={DISK_ID:08x}-02 rootfstype=ext4 rootwait ro\n"
)
BOOT_START, BOOT_BYTES = MIB, 3 * MIB


@pytest.fixture(scope="module")
def bootable(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample with a real boot partition."""
    if missing := programs.missing("mkfs.vfat", "mcopy"):
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("bootable")
    sample = make_sample(folder)
    boot, line = folder / "boot", folder / "cmdline.txt"
    boot.write_bytes(bytes(BOOT_BYTES))
    line.write_text(COMMAND_LINE)
    (folder / "kernel8.img").write_bytes(b"kernel" * 100_000)
    subprocess.run(["mkfs.vfat", "-n", "boot", boot], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", boot, folder / "kernel8.img", line, "::"], check=True)
    content = bytearray(sample.content)
    content[BOOT_START : BOOT_START + BOOT_BYTES] = boot.read_bytes()
    ranges = [(0, BLOCK), (BOOT_START, BOOT_BYTES), *sample.ranges[2:]]
    sample.plain.write_bytes(content)
    sample.bmap.write_bytes(bmap_text(bytes(content), ranges))
    return sample._replace(ranges=ranges)


def identity(card: Path) -> int:
    table = read_table(card.read_bytes()[:512])
    assert table is not None
    return table.disk_id


def command_line(card: Path) -> str:
    place = f"{card}@@{BOOT_START}"
    done = subprocess.run(["mtype", "-i", place, "::cmdline.txt"], capture_output=True, check=True)
    return done.stdout.decode()


def test_two_cards_of_one_image_are_different(
    start: Start, bootable: Sample, tmp_path: Path
) -> None:
    cards = [tmp_path / "one", tmp_path / "other"]
    for card in cards:
        done = start(flash.main, bootable.plain, card, *ALWAYS)
        assert (done.status, done.complaints) == (0, [])
        assert f"identity: {identity(card):08x}, this card's own" in done.out
        assert command_line(card) == COMMAND_LINE.replace(f"{DISK_ID:08x}", f"{identity(card):08x}")
    assert len({DISK_ID, *map(identity, cards)}) == 3


@pytest.mark.parametrize("option", [(), ("--no-bmap",)])
def test_nothing_else_changes(
    start: Start, bootable: Sample, tmp_path: Path, option: tuple[str, ...]
) -> None:
    card = tmp_path / "card"
    assert start(flash.main, bootable.plain, card, *ALWAYS, *option).status == 0
    own = f"{identity(card):08x}"
    assert card.read_bytes() == bootable.content.replace(
        DISK_ID.to_bytes(4, "little"), bytes.fromhex(own)[::-1]
    ).replace(f"{DISK_ID:08x}".encode(), own.encode())


def test_an_update_keeps_the_data_of_a_card_with_its_own(
    start: Start, bootable: Sample, tmp_path: Path, attach: Attach
) -> None:
    """On a loop device, as on a card: flashed, used, flashed again."""
    card = tmp_path / "card"
    assert start(flash.main, bootable.plain, card, *ALWAYS).status == 0
    before = identity(card)
    with card.open("r+b") as stream:
        stream.seek(DATA_START)
        stream.write(b"what the driver has")
    done = start(flash.main, bootable.plain, attach(card), *ALWAYS)
    assert "settings and history stay" in done.out
    assert card.read_bytes()[DATA_START:].startswith(b"what the driver has")
    # Of two cards, one of which was copied from the other, a new flash makes two different ones.
    assert identity(card) != before
    assert f"PARTUUID={identity(card):08x}-02" in command_line(card)


def test_on_request_it_is_the_image_s(start: Start, bootable: Sample, tmp_path: Path) -> None:
    card = tmp_path / "card"
    done = start(flash.main, bootable.plain, card, *ALWAYS, "--image-identity")
    assert "identity: that of the image" in done.out
    assert card.read_bytes() == bootable.content


def test_a_card_of_ours_is_known_whatever_its_own_half_is() -> None:
    image, data = read_table(mbr()), DataPartition(3, DATA_START, DISK_ID)
    card = read_table(mbr(disk_id=draw(DISK_ID)))
    assert fate(image, data, card) is Fate.KEPT
    assert fate(image, None, card) is Fate.LOST


def test_a_drawn_identity_is_never_the_image_s() -> None:
    drawn = {draw(DISK_ID) for _ in range(200)}
    assert DISK_ID not in drawn
    assert {one >> 16 for one in drawn} == {DISK_ID >> 16}
    assert len(drawn) > 100


class Bytes:
    """An image in pieces of a length that cuts everything in two."""

    def __init__(self, content: bytes, piece: int) -> None:
        self._content = content
        self._piece = piece

    def chunks_between(self, start: int, end: int) -> Iterator[Chunk]:
        for at in range(start, end, self._piece):
            yield Chunk(at, self._content[at : min(at + self._piece, end)])


@pytest.mark.parametrize("piece", [7, 30, 31, 64, 2 * BLOCK])
@pytest.mark.parametrize("place", [BLOCK, BLOCK + 61, 2 * BLOCK - 150])
def test_found_across_the_borders_of_chunks(piece: int, place: int) -> None:
    table = mbr(((0x0C, BLOCK, BLOCK), (0x83, 2 * BLOCK, BLOCK)))
    content = bytearray(3 * BLOCK)
    content[:512] = table
    content[place : place + len(COMMAND_LINE)] = COMMAND_LINE.encode()
    # Not in the boot partition, so none of ours.
    content[600:626] = f"root=PARTUUID={DISK_ID:08x}-02".encode()
    source = Bytes(bytes(content), piece)
    made = for_card(source, read_table(table), lambda _: 0x7661BEEF)
    assert made is not None
    assert made.disk_id == 0x7661BEEF
    after = b"".join(data for _, data in made.applied(source.chunks_between(0, len(content))))
    expected = bytes(content[:440]) + b"\xef\xbe\x61\x76" + bytes(content[444:BLOCK])
    assert after == expected + bytes(content[BLOCK:]).replace(b"76617374-", b"7661beef-")


@pytest.mark.parametrize("table", [None, mbr(()), mbr()])
def test_an_image_that_does_not_name_its_root_so_stays_as_it_is(table: bytes | None) -> None:
    source = Bytes(bytes(IMAGE_BYTES), MIB)
    assert for_card(source, read_table(table) if table else None) is None


def test_patches_outside_a_chunk_leave_it_alone() -> None:
    chunk = Chunk(100, b"abc")
    made = Identity(1, (Patch(90, b"x" * 10), Patch(103, b"y")))
    assert list(made.applied([chunk])) == [chunk]
