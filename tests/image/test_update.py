"""A field update: another version is flashed over the card, then the old one; what the driver has, stays."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.device import (
    BACKEND,
    DISK_BYTES,
    LOAD,
    SMALL_MODEL,
    Booted,
    Device,
    Figures,
)
from tests.image.other_container import with_another_identity
from tools.root import ROOT
from tools.system.booting.disk import overlay, unpacked
from tools.system.booting.machine import Settings

pytestmark = pytest.mark.image

CONTAINER = ROOT / "build/container"
NEXT_VERSION = "9.9.9"


@pytest.fixture(scope="module")
def update(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """$IMAGE_UPDATE, or a reference image of the next version with another container in it."""
    if named := os.environ.get("IMAGE_UPDATE"):
        return unpacked(Path(named), ROOT / ".cache/boot")
    if os.environ.get("IMAGE"):
        pytest.skip("to try an update to another image, name it: IMAGE_UPDATE=NAME.wic.bz2")
    folder = tmp_path_factory.mktemp("update")
    container = with_another_identity(CONTAINER, folder / "container")
    build = [str(ROOT / "tools/reference_image"), "--version", NEXT_VERSION, "--build-id", "update"]
    build += ["--model", "none"]  # as of a system before there were models
    subprocess.run([*build, "--container", container, "--output", folder], check=True)
    return folder / "debian-reference-arm64.wic"


class Card:
    """The raw card between two boots."""

    def __init__(self, device: Device, folder: Path) -> None:
        self._device = device
        self._folder = folder

    def flash(self, image: Path) -> None:
        """Write an image over what is on the card, as a workshop does."""
        before = self._device.image
        card = self._folder / f"card-{self._device.boots}"
        convert = ["qemu-img", "convert", "-f", "qcow2", "-O", "raw"]
        subprocess.run([*convert, self._device.disk, card], check=True)
        self._device.disk.unlink()
        if before.parent == self._folder:
            before.unlink()
        flash = [str(ROOT / "tools/flash"), "--file", "--no-verify", "--yes"]
        subprocess.run([*flash, image, card], check=True)
        self._device.image = card

    def another(self, image: Path) -> Path:
        """A second card, made of an image by a program that knows nothing of identities."""
        return overlay(image, self._folder / "another.qcow2", DISK_BYTES)


def is_well(booted: Booted, version: str) -> float:
    """The device runs a version, with the driver's things; returns when it was healthy."""
    seconds = booted.wait_healthy()
    assert booted.os_release()["IMAGE_VERSION"] == version
    assert booted.run("cat /data/config/mine") == "volume=7"
    history = booted.run("cat /data/voice-assistant/share/history.jsonl")
    assert history == '{"text": "navigate home"}'
    assert booted.journal(LOAD, BACKEND).count("loading sha256:") == 1
    assert booted.run("docker image ls --quiet whisper-backend | sort -u | wc -l") == "1"
    return seconds


def disk_of(booted: Booted, place: str) -> str:
    """The whole disk that a place is on."""
    partition = f"/sys/dev/block/$(mountpoint -d {place})"
    return booted.run(f"basename $(dirname $(readlink -f {partition}))")


def test_forth_and_back(
    image: Path, update: Path, new_device: Device, figures: Figures, tmp_path: Path
) -> None:
    card = Card(new_device, tmp_path)
    with new_device.boot() as booted:
        first = booted.os_release()["IMAGE_VERSION"]
        identity = booted.run("cat /etc/machine-id")
        booted.run("mkdir -p /data/config && echo volume=7 >/data/config/mine")
        booted.run(f"echo {SMALL_MODEL} >/data/config/whisper-backend")
        booted.run(
            "mkdir -p /data/voice-assistant/share && "
            """echo '{"text": "navigate home"}' >/data/voice-assistant/share/history.jsonl"""
        )
        is_well(booted, first)
        booted.machine.shut_down()

    card.flash(update)
    # In a USB reader, from here on, is a card with the version from before.
    with new_device.boot(Settings(other_disk=card.another(image))) as booted:
        assert disk_of(booted, "/data") == disk_of(booted, "/")
        assert booted.run("lsblk --noheadings --nodeps --output NAME /dev/vd? | wc -l") == "2"
        figures.note("updated: healthy (s)", is_well(booted, NEXT_VERSION))
        assert booted.run("cat /etc/machine-id") == identity
        booted.machine.shut_down()

    card.flash(image)
    with new_device.boot() as booted:
        figures.note("back to the old version: healthy (s)", is_well(booted, first))
        booted.machine.shut_down()
    shutil.rmtree(tmp_path, ignore_errors=True)
