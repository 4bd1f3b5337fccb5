"""Power that goes at any moment, as it does in a car: the next start is a start like any other."""

from __future__ import annotations

import random
import time

import pytest

from tests.image.device import LOAD, SCREEN, SMALL_MODEL, Booted, Device, Figures

pytestmark = pytest.mark.power_cuts

CUTS = 10
SEED = 20260101
MARK = "/data/config/mark"


@pytest.fixture(scope="module")
def unplugged(new_device: Device) -> Device:
    """A device whose first boot has been cut while docker loaded its image."""
    with new_device.boot() as booted:
        small = f"echo {SMALL_MODEL} >/data/config/whisper-backend"
        booted.run(f"mkdir -p /data/config && {small} && echo kept >{MARK} && sync")
        booted.wait_until(
            "the image is being loaded",
            lambda: (
                booted.property(LOAD, "ActiveState") == "activating"
                and "loading sha256:" in booted.journal(LOAD)
            ),
            600,
        )
        time.sleep(10)
        booted.machine.power_cut()
    return new_device


def require_well(booted: Booted) -> float:
    """The device has started as it should; returns when its service was healthy."""
    seconds = booted.wait_healthy()
    assert booted.is_active(SCREEN)
    assert booted.run(f"cat {MARK}") == "kept"
    assert not booted.run("systemctl --failed --plain --no-legend")
    # A file system that needed more than its journal would say so here.
    assert "clean" in booted.run(
        "dumpe2fs -h $(findmnt --noheadings --output SOURCE /data) 2>/dev/null"
    )
    return seconds


def test_a_cut_while_the_image_is_loaded(unplugged: Device, figures: Figures) -> None:
    with unplugged.boot() as booted:
        figures.note("after a cut in the first load: healthy (s)", require_well(booted))
        assert "loading sha256:" in booted.journal(LOAD)


def test_a_cut_at_work(unplugged: Device, figures: Figures) -> None:
    with unplugged.boot() as booted:
        booted.wait_healthy()
        booted.run("dd if=/dev/urandom of=/data/cache/at-work bs=1M count=50 &")
        booted.machine.power_cut()
    with unplugged.boot() as booted:
        figures.note("after a cut at work: healthy (s)", require_well(booted))
        assert "loading" not in booted.journal(LOAD)


def test_ten_cuts_at_random(unplugged: Device, figures: Figures) -> None:
    moments = random.Random(SEED)
    for number in range(1, CUTS + 1):
        with unplugged.switched_on() as machine:
            # From the kernel's first line to a service that has been at work for a while.
            time.sleep(moments.uniform(3, 110))
            machine.power_cut()
        # The end of this boot is a cut, too.
        with unplugged.boot() as booted:
            require_well(booted)
        figures.note("random power cuts survived", number)
