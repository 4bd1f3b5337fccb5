"""What tests of the container share: packages without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.container.debian import DebianPackage
from tools.system.container.image_config import Origin
from tools.system.container.layers import Layer
from tools.system.container.wheels import Wheel


@pytest.fixture
def origin() -> Origin:
    return Origin(version="1.2.3", revision="abc", seconds=1_700_000_000)


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    """Two layers that are no archives, which nobody looks into."""
    made = []
    for name in ("one", "two"):
        file = tmp_path / f"{name}.layer"
        file.write_text(name)
        made.append(Layer(name, name * 2, len(name), file))
    return made


@pytest.fixture
def package(tmp_path: Path) -> DebianPackage:
    return DebianPackage(
        name="libthing1",
        version="1:2.0-3",
        architecture="arm64",
        source="thing",
        control="Package: libthing1\nVersion: 1:2.0-3\n",
        sha256="a" * 64,
        file=tmp_path / "libthing1.deb",
    )


@pytest.fixture
def wheel() -> Wheel:
    return Wheel(
        "Some_Thing", "4.5", "some_thing-4.5.whl", "b" * 64, "BSD License", is_expression=False
    )
