"""The processors that the container is made for, and how each tool calls them."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rtap.errors import ConfigurationError

GLIBC: Final = (2, 36)
"""Debian bookworm's; wheels may ask for it and for anything older."""
_OLDEST_GLIBC: Final = 17
"""Of the wheels' tags, manylinux2014's."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One processor."""

    name: str
    """Debian's and Docker's name."""
    machine: str
    """The kernel's and the wheels' name."""
    variant: str
    """Docker's, empty where there is none."""
    triplet: str
    """Name of Debian's library folders."""
    loader: str
    """The program that loads libraries, from the root."""
    cache_flag: int
    """What ld.so.cache says of a library for it: glibc's FLAG_ELF_LIBC6 and the processor's flag."""

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """Tags of the wheels that run on bookworm, the best first."""
        major, newest = GLIBC
        tags = [
            f"manylinux_{major}_{minor}_{self.machine}"
            for minor in range(newest, _OLDEST_GLIBC - 1, -1)
        ]
        return (*tags, f"manylinux2014_{self.machine}", f"linux_{self.machine}")


ARCHITECTURES: Final = MappingProxyType(
    {
        "arm64": Architecture(
            name="arm64",
            machine="aarch64",
            variant="v8",
            triplet="aarch64-linux-gnu",
            loader="lib/ld-linux-aarch64.so.1",
            cache_flag=0x0A03,
        ),
        "amd64": Architecture(
            name="amd64",
            machine="x86_64",
            variant="",
            triplet="x86_64-linux-gnu",
            loader="lib64/ld-linux-x86-64.so.2",
            cache_flag=0x0303,
        ),
    }
)
"""By Debian's name."""


def this_architecture(machine: str | None = None) -> Architecture:
    """The processor that runs this.

    Raises:
        ConfigurationError: neither of the two.
    """
    machine = machine or platform.machine()
    for architecture in ARCHITECTURES.values():
        if architecture.machine == machine:
            return architecture
    names = " or ".join(one.machine for one in ARCHITECTURES.values())
    raise ConfigurationError(f"this machine is {machine}: build the container on {names}")
