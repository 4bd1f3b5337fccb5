"""What the packages of the layer have to contain, and how."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from typing import Final

from tools.system.image_checks.deb_package import DebPackage, Member

UNITS: Final = "/lib/systemd/system"
"""With the distribution feature usrmerge, and on scarthgap, below /usr."""

REQUIRED: Final = {
    "qt6-voice-assistant": (
        "/usr/bin/qt6-voice-assistant",
        f"{UNITS}/voice-assistant.service",
    ),
    "whisper-backend": (
        "/var/lib/docker/images/whisper-backend.tar",
        "/etc/docker/daemon.json",
        f"{UNITS}/whisper-backend.service",
    ),
}
"""What section 9.1 of the specification shows in the image, and the package that brings it. docker.service is
docker's own."""

ENABLED: Final = frozenset({"whisper-backend.service", "voice-assistant.service"})
"""Units that have to start by themselves, whatever else does."""

MEGABYTE: Final = 1_000_000
_LARGEST: Final = {"whisper-backend": 500 * MEGABYTE, "qt6-voice-assistant": 20 * MEGABYTE}
_LARGEST_OTHER: Final = MEGABYTE
_TIDY: Final = re.compile(r"/(etc|usr|var|lib|data)(/|$)")


def complaints(packages: Sequence[DebPackage]) -> list[str]:
    """What is wrong with the packages, each as a line; empty when nothing is."""
    by_name = {package.name: package for package in packages}
    found = [line for package in packages for line in _about_members(package)]
    for name, paths in REQUIRED.items():
        if name not in by_name:
            found.append(f"there is no package {name}")
            continue
        files = {_unmerged(path) for path in by_name[name].files()}
        found += [f"{name} lacks {path}" for path in paths if path not in files]
    enabled = {unit for package in packages for unit in package.enabled}
    found += [f"{unit} is not enabled" for unit in sorted(ENABLED - enabled)]
    return found


def doubly_owned(packages: Sequence[DebPackage]) -> list[str]:
    """Files that two packages have, each as a line: ipk takes whichever comes first, deb and rpm refuse."""
    owners: dict[str, str] = {}
    found = []
    for package in packages:
        for path in package.files():
            owner = owners.setdefault(path, package.name)
            if owner != package.name:
                found.append(f"{path} is in {owner} and in {package.name}")
    return found


def _unmerged(path: str) -> str:
    return path.removeprefix("/usr") if path.startswith("/usr/lib/systemd") else path


def _about_members(package: DebPackage) -> Iterator[str]:
    size = sum(member.size for member in package.members)
    if size > _LARGEST.get(package.name, _LARGEST_OTHER):
        yield f"{package.name} has {size / MEGABYTE:.1f} MB"
    units = {_unmerged(path) for path in package.files()}
    yield from (
        f"{package.name} enables {unit}, which it does not have"
        for unit in sorted(package.enabled)
        if f"{UNITS}/{unit}" not in units
    )
    for member in package.members:
        # The root folder has no mode of its own: bitbake writes 0777 there, base-files sets it right.
        if member.path != "/":
            yield from (f"{package.name}: {member.path} {fault}" for fault in _faults(member))


def _faults(member: Member) -> Iterator[str]:
    if member.owner != "root:root":
        yield f"belongs to {member.owner}"
    if member.mode & (stat.S_ISUID | stat.S_ISGID):
        yield "is setuid or setgid"
    if member.mode & stat.S_IWOTH:
        yield "can be written by everybody"
    if not _TIDY.match(member.path):
        yield "lies outside the places for packages"
    program = re.search(r"/(bin|sbin|libexec)/", member.path) is not None
    if not member.is_folder and bool(member.mode & stat.S_IXUSR) != program:
        yield f"has mode {member.mode:04o}"
