"""What the running system does with its disks: whatever it mounts or swaps to is not for flashing.

A file system may stand on a partition, on LVM over encryption over RAID, or on a loop device over a file on
another file system; each use counts for every disk below it. A second guard is the kernel's: the medium
is opened exclusively, which fails for anything that is in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.system.flashing.block_devices import Disk, Node

PROC: Final = Path("/proc")
_SYSTEM: Final = frozenset({"boot", "efi", "home", "nix", "opt", "srv", "usr", "var"})


@dataclass(frozen=True, slots=True)
class Use:
    """Why a disk is in use."""

    node: str
    """The partition or disk itself."""
    target: str
    """Where it is mounted; "swap"; or the device that stands on it."""
    is_mount: bool = True

    @property
    def is_system(self) -> bool:
        """Whether the machine would stop working without it."""
        if not self.is_mount:
            return self.target == "swap"
        first = Path(self.target).parts[1:2]
        return not first or first[0] in _SYSTEM

    def __str__(self) -> str:
        verb = "mounted on" if self.is_mount else "used for"
        return f"{self.node} {verb} {self.target}"


@dataclass(frozen=True, slots=True)
class _Mount:
    number: str
    target: str
    source: str


def read_uses(disks: Sequence[Disk], proc: Path = PROC) -> dict[str, list[Use]]:
    """The uses of each disk that has one, by the disk's name."""
    return _Stack(disks, _mounts(proc)).uses(_swaps(proc))


class _Stack:
    """Which node stands on which."""

    def __init__(self, disks: Sequence[Disk], mounts: Sequence[_Mount]) -> None:
        self._nodes = {node.name: node for disk in disks for node in disk.nodes}
        self._numbers = {node.number: node for node in self._nodes.values()}
        self._mapped = {node.mapped_name: node for node in self._nodes.values() if node.mapped_name}
        self._mounts = mounts

    def uses(self, swaps: Sequence[str]) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {}
        for mount in self._mounts:
            self._count(found, self._mounted(mount), mount.target, is_mount=True)
        for swap in swaps:
            node = self._named(swap) or self._holding(swap)
            self._count(found, node, "swap", is_mount=False)
        for node in self._nodes.values():
            for name in node.below:
                self._count(found, self._nodes.get(name), node.name, is_mount=False)
        return found

    def _count(
        self, found: dict[str, list[Use]], node: Node | None, target: str, *, is_mount: bool
    ) -> None:
        for below in self._all_below(node):
            uses = found.setdefault(below.disk, [])
            use = Use(below.name, target, is_mount)
            if use not in uses:
                uses.append(use)

    def _all_below(self, node: Node | None, seen: frozenset[str] = frozenset()) -> Iterator[Node]:
        if node is None or node.name in seen:
            return
        seen |= {node.name}
        yield node
        for name in (*node.below, *self._nodes[node.disk].below):
            yield from self._all_below(self._nodes.get(name), seen)
        if file := self._nodes[node.disk].backing_file:
            yield from self._all_below(self._holding(file), seen)

    def _mounted(self, mount: _Mount) -> Node | None:
        # Btrfs has a number of its own; its source is one of its devices, the kernel's lock finds the others.
        return self._numbers.get(mount.number) or self._named(mount.source)

    def _named(self, path: str) -> Node | None:
        if not path.startswith("/dev/"):
            return None
        return self._mapped.get(Path(path).name) or self._nodes.get(Path(path).resolve().name)

    def _holding(self, file: str) -> Node | None:
        """What the file system with this file stands on."""
        holders = [one for one in self._mounts if Path(file).is_relative_to(one.target)]
        if not holders:
            return None
        # Of several on one place the last one is seen.
        return self._mounted(max(reversed(holders), key=lambda one: len(Path(one.target).parts)))


def _mounts(proc: Path) -> list[_Mount]:
    mounts = []
    for line in (proc / "self/mountinfo").read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        mounts.append(_Mount(words[2], _unescape(words[4]), _unescape(after.split()[1])))
    return mounts


def _swaps(proc: Path) -> list[str]:
    try:
        lines = (proc / "swaps").read_text(errors="surrogateescape").splitlines()[1:]
    except FileNotFoundError:  # a kernel without swap
        return []
    return [_unescape(line.split()[0]) for line in lines if line.strip()]


def _unescape(word: str) -> str:
    """Blanks stand there as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)
