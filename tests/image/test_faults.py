"""What breaks in a device, and how long it takes to be well again by itself."""

from __future__ import annotations

import pytest

from tests.image.device import SCREEN, Booted, Figures
from tests.image.recovery import RECOVERY_SECONDS, answers, pid, recovers

pytestmark = pytest.mark.image


def test_the_service_is_killed(well: Booted, figures: Figures) -> None:
    before = pid(well)
    well.run(f"kill -9 {before}")
    figures.note("service killed: healthy again (s)", recovers(well, before))


def test_docker_is_killed(well: Booted, figures: Figures) -> None:
    before = pid(well)
    well.run("kill -9 $(pidof dockerd)")
    seconds = well.wait_until(
        "docker answers", lambda: well.attempt("docker version").status == 0, RECOVERY_SECONDS
    )
    figures.note("docker killed: answers again (s)", seconds)
    # The service has not noticed.
    assert pid(well) == before
    assert answers(well)


def test_the_screen_is_killed(well: Booted, figures: Figures) -> None:
    before = well.property(SCREEN, "MainPID")
    well.run(f"kill -9 {before}")
    seconds = well.wait_until(
        "a new screen",
        lambda: well.property(SCREEN, "MainPID") not in ("0", before),
        RECOVERY_SECONDS,
    )
    figures.note("screen killed: started again (s)", seconds)


def test_the_clock_jumps(well: Booted) -> None:
    before = pid(well)
    for date in ("2038-01-01 12:00:00", "2001-01-01 12:00:00"):
        well.run(f"date --set '{date}'")
        assert answers(well)
    # Longer than the service may be unwell, by a clock that goes evenly.
    well.run("sleep 5")
    assert pid(well) == before
    assert well.is_active(SCREEN)


def test_the_disk_is_full(well: Booted, figures: Figures) -> None:
    well.attempt("fallocate -l 100G /data/full || dd if=/dev/zero of=/data/full bs=1M || true", 300)
    well.attempt("cat /dev/zero >/data/rest", 120)
    try:
        assert well.run("df --output=avail /data | tail -1").strip() == "0"
        assert answers(well)
        before = pid(well)
        well.run(f"kill -9 {before}")
        figures.note("service killed, disk full: healthy again (s)", recovers(well, before))
        assert well.is_active(SCREEN)
    finally:
        well.run("rm -f /data/full /data/rest")
