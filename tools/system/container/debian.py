"""The part of the container that comes from Debian: its packages, fetched and unpacked.

mmdebstrap resolves and verifies them. They are unpacked, not installed: no program of the container runs
while it is built, so an arm64 container needs neither an emulator nor root. What their maintainer scripts
would have done is little: :mod:`root_files` and :mod:`loader_cache` do it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.process.programs import require, run
from tools.system.container.architecture import Architecture

SUITE: Final = "bookworm"
PACKAGES: Final = (
    "base-files",
    "espeak-ng",  # the voice of answers
    "libc-bin",  # ldconfig, which sounddevice asks for PortAudio
    "libportaudio2",
    "libpython3.11-stdlib",
    "python3.11-minimal",
)
"""What the service needs; mmdebstrap adds what these need."""
INTERPRETER: Final = ("python3.11-minimal", "libpython3.11-stdlib")
LEFT_OUT: Final = frozenset({"dpkg", "mawk", "tar"})
"""Packages that others ask for only while they are being installed."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """One package."""

    name: str
    version: str
    architecture: str
    source: str
    """Name of the source package."""
    control: str
    """Its control file."""
    sha256: str
    file: Path
    """The .deb."""


def fetch(
    architecture: Architecture, names: Iterable[str], folder: Path, mirror: str | None
) -> list[DebianPackage]:
    """Download packages and what they need.

    Args:
        folder: where the .deb files are put.
        mirror: default: Debian's, with its security updates.

    Raises:
        ConfigurationError: mmdebstrap is not installed.
        BuildError: it failed.
    """
    folder.mkdir(parents=True)
    run(
        [
            require("mmdebstrap", "mmdebstrap"),
            "--variant=extract",
            "--format=null",
            f"--architectures={architecture.name}",
            f"--include={','.join(names)}",
            f"--extract-hook=copy-out /var/cache/apt/archives {folder}",
            SUITE,
            "/dev/null",
            *([mirror] if mirror else []),
        ],
        advice="check the network, and that debian-archive-keyring is installed; as an ordinary user, "
        "apt-get install uidmap",
    )
    packages = [_read(file) for file in sorted((folder / "archives").glob("*.deb"))]
    return [package for package in packages if package.name not in LEFT_OUT]


def unpack(packages: Iterable[DebianPackage], root: Path) -> None:
    """Lay the packages' files under ``root``."""
    root.mkdir(parents=True, exist_ok=True)
    for package in packages:
        run(
            ["dpkg-deb", "--extract", package.file, root],
            advice=f"{package.file.name} is damaged: run the same command again",
        )


def _read(file: Path) -> DebianPackage:
    control = run(
        [require("dpkg-deb", "dpkg"), "--field", file],
        advice=f"{file.name} is damaged: run the same command again",
    )
    fields = dict(
        line.split(": ", 1)
        for line in control.splitlines()
        if ": " in line and not line.startswith(" ")
    )
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return DebianPackage(
        name=fields["Package"],
        version=fields["Version"],
        architecture=fields["Architecture"],
        source=fields.get("Source", fields["Package"]).split(" ")[0],
        control=control,
        sha256=sha256,
        file=file,
    )
