"""What a power cut leaves of docker's store: the service is loaded from the image's archive again.

Loading takes an emulated device some minutes each time, so this runs with ``make test-power-cuts``.
"""

from __future__ import annotations

import pytest

from tests.image.device import BACKEND, LOAD, Booted, Figures
from tests.image.recovery import pid, recovers

pytestmark = pytest.mark.power_cuts


def loads(booted: Booted) -> int:
    """How often docker was given the image in this boot."""
    return booted.journal(BACKEND, LOAD).count("loading sha256:")


def test_dockers_store_is_damaged(well: Booted, figures: Figures) -> None:
    before, loaded = pid(well), loads(well)
    # What a power cut leaves: docker knows the image, and its files are empty. The service, which runs from
    # them, may fall over by itself, and files may vanish while they are looked for.
    well.attempt(
        "find /data/docker/overlay2 -path '*/diff/*' -type f -size +0 -exec truncate --size 0 {} +",
        300,
    )
    well.attempt(f"kill -9 {before}")
    figures.note("image damaged: loaded again and healthy (s)", recovers(well, before))
    assert loads(well) > loaded


def test_dockers_store_is_gone(well: Booted, figures: Figures) -> None:
    before, loaded = pid(well), loads(well)
    well.run("rm -rf /data/docker/image /data/docker/overlay2; kill -9 $(pidof dockerd)", 120)
    well.attempt(f"kill -9 {before}")
    figures.note("store destroyed: made anew and healthy (s)", recovers(well, before))
    assert loads(well) > loaded
