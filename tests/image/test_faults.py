"""What breaks in a device, and how long it takes to be well again by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.image.device import BACKEND, CONTAINER, LOAD, SCREEN, Booted, Device, Figures

pytestmark = pytest.mark.image

RECOVERY_SECONDS = 1200.0
HEALTH = "wget -q -T 10 -O /dev/null http://127.0.0.1:8000/health"


@pytest.fixture(scope="module")
def well(device: Device) -> Iterator[Booted]:
    """A device that has been used, without its microphone: nothing else takes the processor's time."""
    with device.boot() as booted:
        booted.wait_healthy()
        yield booted


def pid(booted: Booted) -> str:
    """The service's process."""
    told = booted.attempt(f"docker container inspect --format '{{{{.State.Pid}}}}' {CONTAINER}")
    return told.output.strip() if told.status == 0 else "0"


def answers(booted: Booted) -> bool:
    return booted.attempt(HEALTH).status == 0


def recovers(booted: Booted, before: str) -> float:
    """Seconds until another process of the service is healthy."""
    return booted.wait_until(
        "a new service is healthy",
        lambda: pid(booted) not in ("0", before) and answers(booted) and booted.is_active(BACKEND),
        RECOVERY_SECONDS,
    )


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
