"""Chooses from a lock file what goes into the container."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from packaging.markers import Marker

from rtap.errors import ConfigurationError
from tools.system.container.architecture import Architecture

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "huggingface-hub": "tokenizers loads from the hub with it; the service loads from a file",
        "hf-xet": "huggingface-hub downloads with it",
        "fsspec": "huggingface-hub's",
        "filelock": "huggingface-hub's",
    }
)
"""Packages of requirements.lock that the service never imports, and why they are there."""
PYTHON: Final = "3.11"

_ENTRY: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]*?))?\s*(?:\\|$)"
)
_HASH: Final = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock file."""

    name: str
    version: str
    marker: str
    """Where it is wanted; empty: everywhere."""
    hashes: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """As pip reads it, for ``--require-hashes``."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={one}" for one in self.hashes)])


def read_lock(path: Path) -> list[Locked]:
    """All packages of a lock file.

    Raises:
        ConfigurationError: there is none, or a package has no hash.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}): run `make lock`"
        ) from error
    packages = list(_entries(text))
    unhashed = [package.name for package in packages if not package.hashes]
    if unhashed or not packages:
        what = f"no hash for {', '.join(unhashed)}" if unhashed else "no package"
        raise ConfigurationError(f"{path} has {what}: run `make lock`")
    return packages


def for_container(
    packages: list[Locked], architecture: Architecture, left_out: Collection[str] = LEFT_OUT
) -> list[Locked]:
    """Those that the container's Python needs.

    Raises:
        ConfigurationError: one that is to be left out is not there any more.
    """
    if gone := set(left_out) - {package.name for package in packages}:
        raise ConfigurationError(
            f"requirements.lock has no {', '.join(sorted(gone))} any more: "
            "take it out of LEFT_OUT in tools/system/container/lock.py"
        )
    # pip judges markers by the Python that runs it, which need not be the container's.
    target = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": architecture.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{PYTHON}.2",
        "python_version": PYTHON,
        "sys_platform": "linux",
    }
    return [
        package
        for package in packages
        if package.name not in left_out
        and (not package.marker or Marker(package.marker).evaluate(target))
    ]


def _entries(text: str) -> Iterator[Locked]:
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if found := _ENTRY.match(block):
            yield Locked(
                found["name"],
                found["version"],
                (found["marker"] or "").strip(),
                tuple(_HASH.findall(block)),
            )
