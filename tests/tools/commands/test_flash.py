"""tools/flash on the command line: files stand for cards, an invented machine for this one."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.conftest import Start
from tests.tools.system.disk_image.sample_image import (
    DATA_START,
    IMAGE_BYTES,
    MIB,
    PARTITIONS,
    Sample,
    mbr,
)
from tests.tools.system.flashing.conftest import machine, sample
from tests.tools.system.flashing.fake_machine import GB, FakeMachine
from tests.tools.system.signing.keys import make_minisign_key
from tools.commands import flash
from tools.system.disk_image.image_file import Chunk, read_ahead
from tools.system.signing.checksums import write_sums

__all__ = ["machine", "sample"]

CARD_BYTES = IMAGE_BYTES + 4 * MIB
ALWAYS = ("--file", "--no-verify")


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A used card of ours."""
    path = tmp_path / "card"
    path.write_bytes(mbr() + os.urandom(CARD_BYTES - 512))
    return path


def with_ranges(before: bytes, sample: Sample) -> bytes:
    after = bytearray(before)
    for start, length in sample.ranges:
        after[start : start + length] = sample.content[start : start + length]
    return bytes(after)


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_writes_and_keeps_the_data(start: Start, sample: Sample, card: Path) -> None:
    before = card.read_bytes()
    done = start(flash.main, sample.compressed, card, *ALWAYS, "--yes")
    assert (done.status, done.complaints) == (0, [])
    assert "settings and history stay" in done.out
    assert "no difference" in done.out
    assert card.read_bytes() == with_ranges(before, sample)
    assert card.read_bytes()[DATA_START:] == before[DATA_START:]


def test_json(start: Start, sample: Sample, card: Path) -> None:
    done = start(flash.main, sample.compressed, card, *ALWAYS, "--yes", "--json")
    report = json.loads(done.out)
    assert report["written_bytes"] == sum(length for _, length in sample.ranges)
    assert (report["data"], report["data_start"]) == ("kept", DATA_START)
    assert (report["is_read_back"], report["checked"]) == (True, [])


def test_dry_run_changes_nothing(start: Start, sample: Sample, card: Path, tmp_path: Path) -> None:
    before = card.read_bytes()
    done = start(flash.main, sample.compressed, card, *ALWAYS, "--dry-run")
    assert done.status == 0
    assert "nothing was written" in done.out
    assert card.read_bytes() == before
    new = tmp_path / "new"
    assert start(flash.main, sample.compressed, new, *ALWAYS, "--dry-run").status == 0
    assert not new.exists()


@pytest.mark.parametrize("text", ["card\n", " card \n"])
def test_asks_for_the_name(
    start: Start, sample: Sample, card: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    answer(monkeypatch, text)
    done = start(flash.main, sample.compressed, card, *ALWAYS)
    assert done.status == 0
    assert "Type the device's name, card, to go on" in done.err


@pytest.mark.parametrize("text", ["", "\n", "yes\n", "car\n", "card2\n"])
def test_any_other_answer_writes_nothing(
    start: Start, sample: Sample, card: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    before = card.read_bytes()
    answer(monkeypatch, text)
    done = start(flash.main, sample.compressed, card, *ALWAYS)
    assert done.status == 2
    assert "nothing was written" in done.err
    assert card.read_bytes() == before


def test_erases_data_on_request(
    start: Start, sample: Sample, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "card\n")
    done = start(flash.main, sample.compressed, card, *ALWAYS, "--erase-data")
    assert done.status == 0
    assert "Type the device's name" in done.err
    assert "ARE ERASED" in done.out
    assert card.read_bytes()[DATA_START:] == bytes(CARD_BYTES - DATA_START)


def test_erasing_is_asked_about(
    start: Start, sample: Sample, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = card.read_bytes()
    answer(monkeypatch, "no\n")
    assert start(flash.main, sample.compressed, card, *ALWAYS, "--erase-data").status == 2
    assert card.read_bytes() == before


def test_script_does_not_lose_data_by_a_moved_partition(
    start: Start, sample: Sample, card: Path
) -> None:
    moved = (*PARTITIONS[:2], (0x83, DATA_START + MIB, MIB))
    content = mbr(moved) + card.read_bytes()[512:]
    card.write_bytes(content)
    done = start(flash.main, sample.compressed, card, *ALWAYS, "--yes")
    assert done.status == 2
    assert "would lose: add --erase-data" in done.err
    assert card.read_bytes() == content


def test_too_small(start: Start, sample: Sample, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(bytes(IMAGE_BYTES // 2))
    done = start(flash.main, sample.compressed, small, *ALWAYS, "--yes")
    assert done.status == 2
    assert f"{IMAGE_BYTES // 2} bytes" in done.err
    assert f"{IMAGE_BYTES} bytes" in done.err


def test_compressed_image_without_a_map_that_does_not_fit(
    start: Start, sample: Sample, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.write_bytes(bytes(IMAGE_BYTES // 2))
    done = start(flash.main, sample.compressed, small, *ALWAYS, "--yes", "--no-bmap")
    assert done.status == 2
    assert "too small" in done.err
    assert small.stat().st_size == IMAGE_BYTES // 2


def test_missing_map(start: Start, sample: Sample, card: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.wic.bz2"
    shutil.copy(sample.compressed, alone)
    done = start(flash.main, alone, card, *ALWAYS, "--yes")
    assert done.status == 2
    assert "alone.wic.bmap is missing" in done.err
    assert "--no-bmap" in done.err
    assert start(flash.main, alone, card, *ALWAYS, "--yes", "--no-bmap").status == 0
    assert card.read_bytes()[:IMAGE_BYTES] == sample.content


class TestVerification:
    @pytest.fixture
    def release(self, sample: Sample, tmp_path: Path) -> Path:
        """A folder with checksums; the image in it."""
        folder = tmp_path / "release"
        folder.mkdir()
        for file in (sample.compressed, sample.bmap):
            shutil.copy(file, folder)
        write_sums(folder, [sample.compressed.name, sample.bmap.name])
        return folder / sample.compressed.name

    @pytest.fixture
    def public(self, release: Path, tmp_path: Path) -> Path:
        secret, public = make_minisign_key(tmp_path, "maker")
        sums = release.parent / "SHA256SUMS"
        command = ["minisign", "-S", "-s", str(secret), "-m", str(sums)]
        subprocess.run(command, capture_output=True, check=True)
        return public

    def test_signed_release_needs_no_option(
        self, start: Start, release: Path, public: Path, card: Path
    ) -> None:
        done = start(flash.main, release, card, "--file", "--yes", "--json", "--key", public)
        assert json.loads(done.out)["checked"] == ["minisign", "SHA-256"]

    @pytest.mark.parametrize("option", [[], ["--no-verify"]])
    def test_key_of_somebody_else(
        self,
        start: Start,
        release: Path,
        public: Path,
        card: Path,
        tmp_path: Path,
        option: list[str],
    ) -> None:
        before = card.read_bytes()
        _, other = make_minisign_key(tmp_path, "other")
        done = start(flash.main, release, card, "--file", "--yes", "--key", other, *option)
        assert done.status == 2
        assert "do not use it" in done.err
        assert card.read_bytes() == before

    @pytest.mark.parametrize("ending", [".bz2", ".bmap"])
    @pytest.mark.parametrize("option", [[], ["--no-verify"]])
    def test_wrong_checksum(
        self,
        start: Start,
        release: Path,
        public: Path,
        card: Path,
        option: list[str],
        ending: str,
    ) -> None:
        before = card.read_bytes()
        with release.with_suffix(ending).open("ab") as file:
            file.write(b"more")
        done = start(flash.main, release, card, "--file", "--yes", "--key", public, *option)
        assert done.status == 2
        assert "SHA-256 differs" in done.err
        assert card.read_bytes() == before

    def test_unsigned(self, start: Start, release: Path, card: Path) -> None:
        before = card.read_bytes()
        done = start(flash.main, release, card, "--file", "--yes")
        assert done.status == 2
        assert "--no-verify" in done.err
        assert card.read_bytes() == before


class TestInterruption:
    @pytest.fixture
    def stop_after(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C while the second chunk is unpacked."""

        def interrupted(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
            for number, chunk in enumerate(read_ahead(chunks)):
                if number:
                    signal.raise_signal(signal.SIGINT)
                yield chunk

        monkeypatch.setattr("tools.system.flashing.execution.read_ahead", interrupted)

    def test_says_that_the_card_is_half_written(
        self, start: Start, sample: Sample, card: Path, stop_after: None
    ) -> None:
        before = card.read_bytes()
        done = start(flash.main, sample.compressed, card, *ALWAYS, "--yes")
        assert done.status == 130
        (line,) = done.complaints
        assert line.startswith(f"flash: interrupted: {card} is half written and does not boot: run")
        assert card.read_bytes() != before
        assert card.read_bytes()[DATA_START:] == before[DATA_START:]

    def test_says_that_nothing_was_written(
        self, start: Start, sample: Sample, card: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Impatient:
            def readline(self) -> str:
                signal.raise_signal(signal.SIGINT)
                return ""

        before = card.read_bytes()
        monkeypatch.setattr(sys, "stdin", Impatient())
        done = start(flash.main, sample.compressed, card, *ALWAYS)
        assert done.status == 130
        assert "interrupted: nothing was written" in done.err
        assert card.read_bytes() == before


class TestOnAnotherMachine:
    @pytest.fixture(autouse=True)
    def computer(self, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
        machine.disk("sda", partitions=("sda1",))
        machine.mount_device("sda1", "/")
        monkeypatch.setattr(flash, "SYS", machine.sys)
        monkeypatch.setattr(flash, "PROC", machine.proc)
        return machine

    def test_no_card(self, start: Start) -> None:
        assert start(flash.main, "--list").out == "no removable device: put a card in\n"

    def test_list(self, start: Start, computer: FakeMachine) -> None:
        computer.disk("sdb", "usb1", 32 * GB, ("sdb1",), device__model="Ultra")
        computer.disk("mmcblk0", "mmc_host", 16 * GB, device__type="SD", device__name="SD16G")
        computer.mount_device("sdb1", "/media/card")
        lines = [line.split(maxsplit=3) for line in start(flash.main, "--list").out.splitlines()]
        assert lines[0] == ["DEVICE", "SIZE", "CONNECTION", "MODEL  IN USE"]
        assert lines[1][:3] == ["/dev/mmcblk0", "16.0", "GB"]
        assert "USB          Ultra  sdb1 mounted on /media/card" in " ".join(lines[2])
        assert not any("sda" in word for line in lines for word in line)

    def test_list_as_json(self, start: Start, computer: FakeMachine) -> None:
        computer.disk("sdb", "usb1", 32 * GB, ("sdb1",), device__model="Ultra", ro="1")
        (found,) = json.loads(start(flash.main, "--list", "--json").out)
        assert found == {
            "device": "/dev/sdb",
            "bytes": 32 * GB,
            "connection": "USB",
            "model": "Ultra",
            "read_only": True,
            "uses": [],
        }

    def test_device_may_be_left_out_only_where_one_is_meant(
        self, start: Start, sample: Sample
    ) -> None:
        done = start(flash.main, sample.compressed)
        assert done.status == 2
        assert "no removable device" in done.err

    def test_scripts_name_the_device(self, start: Start, sample: Sample) -> None:
        done = start(flash.main, sample.compressed, "--yes")
        assert done.status == 2
        assert "--yes wants a device by name" in done.err


def test_image_is_needed(start: Start) -> None:
    done = start(flash.main)
    assert done.status == 2
    assert "name an image, or use --list" in done.err


def test_system_disk_of_this_machine(start: Start, sample: Sample) -> None:
    """The real one. A dry run, should the guard ever be gone."""
    number = Path("/").stat().st_dev
    found = [
        path.parent.name
        for path in Path("/sys/block").glob("*/dev")
        if path.read_text().strip() == f"{os.major(number)}:{os.minor(number)}"
    ]
    if not found or not Path("/dev", found[0]).exists():
        pytest.skip("the root file system here is on no whole disk")
    done = start(flash.main, sample.compressed, f"/dev/{found[0]}", *ALWAYS, "--dry-run")
    assert done.status == 2
    assert "holds the system" in done.err
