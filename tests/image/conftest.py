"""The image that is booted, and the boots that several tests look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.image.device import Booted, Device, Figures
from tools.root import ROOT
from tools.system.booting import programs
from tools.system.booting.disk import unpacked

ARTEFACTS: Final = ROOT / "build/image-tests"
"""Pictures, consoles and figures of the last run."""
REFERENCE: Final = ROOT / "build/reference-image/debian-reference-arm64.wic"
_SECONDS: Final = 1800
_ORDER: Final = (
    "test_first_boot",
    "test_second_boot",
    "test_wake_word",
    "test_faults",
    "test_release_image",
    "test_update",
    "test_damaged_store",
    "test_power_cuts",
)
_FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = Figures(ARTEFACTS / "figures.json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One device has one life: what a file leaves on its disk is what the next one finds."""
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    ours.sort(key=lambda item: _ORDER.index(item.path.stem))
    others = [item for item in items if here not in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(_SECONDS))
    items[:] = [*others, *ours]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash[_FIGURES].rows
    if rows:
        terminalreporter.section(
            f"figures of the booted image (emulated; {ARTEFACTS / 'figures.json'})"
        )
        for what, value in rows.items():
            terminalreporter.write_line(f"{what:<60}{value:>10.1f}")


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return pytestconfig.stash[_FIGURES]


@pytest.fixture(scope="session")
def image() -> Path:
    """$IMAGE, or the reference image; unpacked."""
    if missing := programs.missing("qemu-system-aarch64", "qemu-img", "mcopy"):
        pytest.skip(missing)
    path = Path(os.environ.get("IMAGE") or REFERENCE)
    if not path.is_file():
        pytest.skip(f"there is no {path}: make test-image, or IMAGE=NAME.wic.bz2 make test-image")
    return unpacked(path, ROOT / ".cache/boot")


@pytest.fixture(scope="session")
def device(image: Path) -> Iterator[Device]:
    """The device that tests use one after the other; what they leave on its disk stays there."""
    shutil.rmtree(ARTEFACTS / "device", ignore_errors=True)
    device = Device(image, ARTEFACTS / "device")
    yield device
    # Two gigabytes that nobody looks at; the consoles stay.
    device.disk.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def well(device: Device) -> Iterator[Booted]:
    """A device that has been used, without its microphone: nothing else takes the processor's time."""
    with device.boot() as booted:
        booted.wait_healthy()
        yield booted


@pytest.fixture(scope="module")
def new_device(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Device:
    """A device for one module alone."""
    return Device(image, tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go."""
    folder = ARTEFACTS / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
