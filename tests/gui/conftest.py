"""The GUI and what its tests need: built once, kept for the next run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.gui import build, packages
from tools.gui.virtual_display import VirtualDisplay, virtual_display
from tools.gui.virtual_microphone import VirtualMicrophone, virtual_microphone

BUILD_SECONDS = 3600
"""The first build takes minutes, on a busy machine many; the next ones take seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and {"build_folder", "program"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session")
def packages_there() -> None:
    if advice := packages.advice():
        pytest.skip(advice)


@pytest.fixture(scope="session")
def build_folder(packages_there: None) -> Path:
    """CMake's, ready to build in."""
    build.configure()
    return build.FOLDER


@pytest.fixture(scope="session")
def program(packages_there: None) -> Path:
    """The application alone."""
    return build.application()


@pytest.fixture(scope="session")
def microphone(packages_there: None) -> Iterator[VirtualMicrophone]:
    with virtual_microphone() as made:
        yield made


@pytest.fixture
def display(packages_there: None) -> Iterator[VirtualDisplay]:
    with virtual_display(800, 480) as made:
        yield made
