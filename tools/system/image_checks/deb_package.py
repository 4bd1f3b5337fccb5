"""What is in a package that bitbake wrote: files with owners, modes and sizes, and the units it enables."""

from __future__ import annotations

import re
import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

_ENABLED: Final = re.compile(r"for service in ([^;]*); do")


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder in a package."""

    path: str
    """Absolute, as on the device."""
    owner: str
    """``user:group``."""
    mode: int
    size: int
    is_folder: bool


@dataclass(frozen=True, slots=True)
class DebPackage:
    """A package of Debian's format."""

    name: str
    members: tuple[Member, ...]
    enabled: frozenset[str]
    """Units that are switched on when the package is installed."""

    @classmethod
    def read(cls, file: Path) -> DebPackage:
        """Read a package; it was made a moment ago, so it is taken to be in order."""
        content = _tar(file, "--fsys-tarfile")
        members = tuple(
            Member(
                path="/" + entry.name.removeprefix("./").removeprefix("."),
                owner=f"{entry.uname or entry.uid}:{entry.gname or entry.gid}",
                mode=entry.mode,
                size=entry.size,
                is_folder=entry.isdir(),
            )
            for entry in content.getmembers()
        )
        control = _tar(file, "--ctrl-tarfile")
        names = [entry for entry in control.getmembers() if entry.name.endswith("/postinst")]
        script = control.extractfile(names[0]) if names else None
        enabled = set()
        if script is not None:
            text = script.read().decode()
            if '[ "enable" = "enable" ]' in text:
                enabled = {unit for found in _ENABLED.findall(text) for unit in found.split()}
        return cls(file.name.partition("_")[0], members, frozenset(enabled))

    def files(self) -> dict[str, Member]:
        """By path, without folders."""
        return {member.path: member for member in self.members if not member.is_folder}


def _tar(file: Path, part: str) -> tarfile.TarFile:
    done = subprocess.run(["dpkg-deb", part, str(file)], capture_output=True, check=True)
    return tarfile.open(fileobj=BytesIO(done.stdout))
