"""What a plan says before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.disk_image.sample_image import DATA_START, IMAGE_BYTES, Sample, make_sample
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import ImageFile
from tools.system.flashing.data_partition import Fate
from tools.system.flashing.plan import Plan, make_plan
from tools.system.flashing.target import Machine


def plan(sample: Sample, card: Path, *, is_data_erased: bool = False, has_map: bool = True) -> Plan:
    bmap = Bmap.parse(sample.bmap.read_bytes(), "x") if has_map else None
    target = Machine([], {}).target(card, is_file_allowed=True)
    return make_plan(ImageFile(sample.compressed), bmap, target, is_data_erased=is_data_erased)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card"
    with path.open("wb") as file:
        file.truncate(2 * IMAGE_BYTES)
    return path


def test_new_card(sample: Sample, card: Path) -> None:
    made = plan(sample, card)
    assert made.fate is Fate.ABSENT
    assert "5.8 MB of 25.2 MB" in made.text()
    assert made.report()["bytes_to_write"] == sum(length for _, length in sample.ranges)


def test_card_of_ours_keeps_its_data(sample: Sample, card: Path) -> None:
    with card.open("r+b") as file:
        file.write(sample.content[:512])
    made = plan(sample, card)
    assert made.fate is Fate.KEPT
    assert f"settings and history stay: nothing from byte {DATA_START}" in made.text()
    assert made.report() | {"data": "kept", "data_start": DATA_START} == made.report()


def test_erasing_is_said_loudly(sample: Sample, card: Path) -> None:
    made = plan(sample, card, is_data_erased=True)
    assert made.fate is Fate.ERASED
    assert "SETTINGS AND HISTORY ARE ERASED" in made.text()


def test_nothing_can_be_erased_where_no_data_partition_is_known(card: Path, tmp_path: Path) -> None:
    writes_data = make_sample(tmp_path, "other", extra=(DATA_START,))
    with pytest.raises(ConfigurationError, match=r"--erase-data: .* leave the option out"):
        plan(writes_data, card, is_data_erased=True)


def test_without_a_map_everything_is_written(sample: Sample, card: Path) -> None:
    with card.open("r+b") as file:
        file.write(sample.content[:512])
    made = plan(sample, card, has_map=False)
    assert (made.fate, made.image_bytes) == (Fate.LOST, None)
    assert "SETTINGS AND HISTORY ARE LOST" in made.text()


def test_too_small(sample: Sample, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(bytes(IMAGE_BYTES - 1))
    with pytest.raises(ConfigurationError, match=f"{IMAGE_BYTES - 1} bytes.*{IMAGE_BYTES} bytes"):
        plan(sample, small)
