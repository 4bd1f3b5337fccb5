"""Architectures: the tags of the wheels that bookworm runs."""

import pytest

from rtap.errors import ConfigurationError
from tools.system.container.architecture import ARCHITECTURES, this_architecture


def test_wheels_for_bookworm_and_older() -> None:
    tags = ARCHITECTURES["arm64"].wheel_platforms
    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_35_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(
        tags
    )
    assert not [tag for tag in tags if "2_37" in tag or "x86_64" in tag]


@pytest.mark.parametrize(("machine", "name"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_this_machine(machine: str, name: str) -> None:
    assert this_architecture(machine).name == name


def test_other_machine() -> None:
    with pytest.raises(
        ConfigurationError, match="riscv64: build the container on aarch64 or x86_64"
    ):
        this_architecture("riscv64")
