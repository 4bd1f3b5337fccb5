"""A plan carried out, on files and loop devices: what is written, and what is not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.conftest import SmallDisk
from tests.tools.system.disk_image.sample_image import (
    DATA_START,
    IMAGE_BYTES,
    MIB,
    Sample,
    make_sample,
)
from tests.tools.system.flashing.conftest import Attach
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import DamagedImageError, ImageFile
from tools.system.flashing.block_devices import read_disks
from tools.system.flashing.execution import Result, Stage, execute
from tools.system.flashing.medium import Medium, MediumError
from tools.system.flashing.plan import Plan, make_plan
from tools.system.flashing.target import Machine

CARD_BYTES = IMAGE_BYTES + 8 * MIB  # the device has let its data partition grow


def plan(
    sample: Sample, device: Path, *, is_data_erased: bool = False, has_map: bool = True
) -> Plan:
    bmap = Bmap.parse(sample.bmap.read_bytes(), "x") if has_map else None
    target = Machine(read_disks(), {}).target(device, is_file_allowed=True)
    return make_plan(ImageFile(sample.compressed), bmap, target, is_data_erased=is_data_erased)


def used_card(tmp_path: Path, sample: Sample) -> tuple[Path, bytes]:
    """A card that was in use: other content all over, our partition table."""
    content = os.urandom(CARD_BYTES)
    content = sample.content[:512] + content[512:]
    path = tmp_path / "card"
    path.write_bytes(content)
    return path, content


def with_ranges(before: bytes, sample: Sample) -> bytes:
    """What must be there afterwards: the mapped ranges of the image, and every other byte as before."""
    after = bytearray(before)
    for start, length in sample.ranges:
        after[start : start + length] = sample.content[start : start + length]
    return bytes(after)


@pytest.mark.parametrize("kind", ["file", "loop device"])
def test_only_mapped_ranges_change(
    sample: Sample, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    card, before = used_card(tmp_path, sample)
    attach: Attach | None = request.getfixturevalue("attach") if kind != "file" else None
    result = Result()
    execute(plan(sample, attach(card) if attach else card), result)
    assert card.read_bytes() == with_ranges(before, sample)
    assert result.stage is Stage.DONE
    assert result.bytes == sum(length for _, length in sample.ranges)


def test_data_survives_an_update_and_the_way_back(sample: Sample, tmp_path: Path) -> None:
    """Version 1, then data, then version 2 over it, then version 1 again."""
    second = make_sample(tmp_path, "second", seed=2, extra=(14 * MIB,))
    card, before = used_card(tmp_path, sample)
    data = before[DATA_START:]
    for version in (sample, second, sample):
        execute(plan(version, card), Result())
        after = card.read_bytes()
        assert after[DATA_START:] == data
        for start, length in version.ranges:
            assert after[start : start + length] == version.content[start : start + length]


def test_erasing_reaches_the_end_of_the_card(sample: Sample, tmp_path: Path) -> None:
    card, before = used_card(tmp_path, sample)
    execute(plan(sample, card, is_data_erased=True), Result())
    assert card.read_bytes() == with_ranges(
        before[:DATA_START] + bytes(CARD_BYTES - DATA_START), sample
    )


def test_without_a_map_every_byte_is_the_image_s(sample: Sample, tmp_path: Path) -> None:
    card, before = used_card(tmp_path, sample)
    execute(plan(sample, card, has_map=False), Result())
    assert card.read_bytes() == sample.content + before[IMAGE_BYTES:]


@pytest.mark.parametrize("has_map", [True, False])
def test_new_file_becomes_the_image(sample: Sample, tmp_path: Path, *, has_map: bool) -> None:
    execute(plan(sample, tmp_path / "new", has_map=has_map), Result())
    assert (tmp_path / "new").read_bytes() == sample.content


def test_damaged_image_says_what_became_of_the_medium(sample: Sample, tmp_path: Path) -> None:
    packed = bytearray(sample.compressed.read_bytes())
    packed[len(packed) * 3 // 4] ^= 1
    damaged = sample._replace(compressed=tmp_path / "damaged.wic.bz2")
    damaged.compressed.write_bytes(packed)
    card, before = used_card(tmp_path, sample)
    result = Result()
    with pytest.raises(DamagedImageError, match=r"fetch both again; .*card is half written"):
        execute(plan(damaged, card), result)
    assert result.stage is Stage.WRITING
    assert card.read_bytes()[DATA_START:] == before[DATA_START:]


def test_device_that_fails_in_the_middle(
    sample: Sample, small_disk: SmallDisk, attach: Attach
) -> None:
    small_disk.resize(3 * 1024)
    card = small_disk.path / "card"
    with card.open("wb") as file:
        file.truncate(CARD_BYTES)
    result = Result()
    with pytest.raises(MediumError, match=r"could not be written between byte \d+"):
        execute(plan(sample, attach(card)), result)
    assert result.stage is Stage.WRITING


@pytest.mark.parametrize("place", [4 * MIB + 4_500_001, 600])
def test_card_that_forgets_one_bit(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """It reports success throughout; works without device-mapper."""
    card, _ = used_card(tmp_path, sample)
    settle = Medium.settle

    def forgetful(medium: Medium) -> None:
        settle(medium)
        right = sample.content[place]
        with card.open("r+b") as below:
            below.seek(place)
            below.write(bytes([right ^ 1]))

    monkeypatch.setattr(Medium, "settle", forgetful)
    result = Result()
    with pytest.raises(MediumError, match=f"the medium is bad: byte {place} "):
        execute(plan(sample, card), result)
    assert result.stage is Stage.COMPARING


@contextmanager
def mapped_device(name: str, table: str) -> Iterator[Path]:
    """A device-mapper device, where the kernel has device-mapper."""
    if os.geteuid() != 0 or shutil.which("dmsetup") is None:
        pytest.skip("device-mapper takes root and dmsetup")
    command = ["dmsetup", "create", name]
    done = subprocess.run(command, input=table, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no device-mapper here: {done.stderr.splitlines()[0]}")
    try:
        yield Path("/dev/mapper", name)
    finally:
        subprocess.run(["dmsetup", "remove", name], check=True)


def test_bad_sectors(sample: Sample, tmp_path: Path, attach: Attach) -> None:
    """Sectors in the middle of the root partition fail."""
    card, _ = used_card(tmp_path, sample)
    below = attach(card)
    bad, end = 6 * MIB // 512, CARD_BYTES // 512
    table = f"0 {bad} linear {below} 0\n{bad} 8 error\n{bad + 8} {end - bad - 8} linear {below} {bad + 8}\n"
    with (
        mapped_device("flash-bad-sectors", table) as device,
        pytest.raises(MediumError, match=r"written between byte 4194304 .*Input/output error"),
    ):
        execute(_on(device, sample), Result())


def test_card_that_corrupts_what_it_is_given(
    sample: Sample, tmp_path: Path, attach: Attach
) -> None:
    """It reports success for every write; only reading back shows it."""
    card, _ = used_card(tmp_path, sample)
    below = attach(card)
    table = f"0 {CARD_BYTES // 512} flakey {below} 0 0 60 5 corrupt_bio_byte 32 r 1 0\n"
    with (
        mapped_device("flash-corrupting", table) as device,
        pytest.raises(MediumError, match="the medium is bad: byte 31 "),
    ):
        execute(_on(device, sample), Result())


def _on(device: Path, sample: Sample) -> Plan:
    """A plan for a device that the tool itself would refuse."""
    made = plan(sample, sample.plain.with_name("new"))  # never made: the target is replaced
    target = type(made.target)(device, device.name, CARD_BYTES, "test", is_block=True)
    return Plan(made.image, made.bmap, target, made.data, made.fate)
