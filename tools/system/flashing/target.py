"""What may be written to, and why the rest may not."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtap.errors import ConfigurationError
from tools.console.quantities import size
from tools.system.flashing.block_devices import Connection, Disk
from tools.system.flashing.uses import Use

_LIST = "`tools/flash --list` shows what can be written to"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that passed all checks."""

    path: Path
    name: str
    """What a person types to confirm."""
    bytes: int | None
    """None: a file that does not exist yet and gets the image's size."""
    model: str
    is_block: bool


def _mode(path: Path) -> int | None:
    """What kind of file it is; None: there is none."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be used ({error.strerror}); {_LIST}") from error


@dataclass(frozen=True, slots=True)
class Machine:
    """The disks of a machine and what it does with them."""

    disks: Sequence[Disk]
    uses: Mapping[str, Sequence[Use]]
    mode: Callable[[Path], int | None] = _mode

    def removable(self) -> list[Disk]:
        """Cards and sticks; a reader without a card is left out."""
        return [disk for disk in self.disks if disk.is_removable and disk.bytes]

    def only_removable(self) -> Path:
        """The one device that can be meant when none is named.

        Raises:
            ConfigurationError: there is none, or more than one.
        """
        free = [disk for disk in self.removable() if not self.uses.get(disk.name)]
        if len(free) == 1:
            return free[0].path
        if not free:
            raise ConfigurationError(
                f"no removable device that is not in use: put a card in, unmount it, and try again; {_LIST}"
            )
        raise ConfigurationError(
            f"name the device, one of {', '.join(str(disk.path) for disk in free)}; {_LIST}"
        )

    def target(self, path: Path, *, is_file_allowed: bool) -> Target:
        """Check what a person has named.

        Args:
            is_file_allowed: whether an ordinary file or a loop device will do.

        Raises:
            ConfigurationError: it must not be written to.
        """
        mode = self.mode(path)
        if mode is not None and stat.S_ISBLK(mode):
            return self._disk(path, is_file_allowed=is_file_allowed)
        if mode is None and (not is_file_allowed or path.is_relative_to("/dev")):
            raise ConfigurationError(f"{path} does not exist; {_LIST}")
        if mode is not None and not stat.S_ISREG(mode):
            raise ConfigurationError(f"{path} is neither a block device nor a file; {_LIST}")
        if not is_file_allowed:
            raise ConfigurationError(f"{path} is a file: add --file to write to it anyway; {_LIST}")
        if mode is None and not path.absolute().parent.is_dir():
            raise ConfigurationError(f"{path.parent} does not exist: make that folder first")
        length = None if mode is None else path.stat().st_size
        return Target(path, path.name, length, "file", is_block=False)

    def _disk(self, path: Path, *, is_file_allowed: bool) -> Target:
        name = path.resolve().name
        disk = next((one for one in self.disks if one.name == name), None)
        if disk is None:
            raise self._not_a_disk(path, name)
        self._refuse_use(path, disk)
        if disk.connection is Connection.LOOP:
            if not is_file_allowed:
                raise ConfigurationError(
                    f"{path} is a loop device: add --file to write to it anyway"
                )
        elif not disk.is_removable:
            raise ConfigurationError(f"{path} ({disk.model}) is built in, not a card; {_LIST}")
        if disk.read_only:
            raise ConfigurationError(
                f"{path} is write-protected: slide the lock on the card's side, or use another card"
            )
        if not disk.bytes:
            raise ConfigurationError(f"{path} has no medium: put a card in; {_LIST}")
        return Target(path, name, disk.bytes, disk.model, is_block=True)

    def _not_a_disk(self, path: Path, name: str) -> ConfigurationError:
        for disk in self.disks:
            if any(node.name == name for node in disk.nodes):
                return ConfigurationError(
                    f"{path} is a partition: the image has its own, so give the whole device, {disk.path}"
                )
        return ConfigurationError(f"{path} is no disk; {_LIST}")

    def _refuse_use(self, path: Path, disk: Disk) -> None:
        uses = list(self.uses.get(disk.name, ()))
        if not uses:
            return
        reasons = ", ".join(map(str, uses))
        if any(use.is_system for use in uses):
            raise ConfigurationError(
                f"{path} holds the system that runs here ({reasons}): choose another device; {_LIST}"
            )
        mounts = [use.target for use in uses if use.is_mount]
        if mounts:
            raise ConfigurationError(f"{path} is in use ({reasons}): umount {' '.join(mounts)}")
        raise ConfigurationError(
            f"{path} is in use ({reasons}): close {', '.join(use.target for use in uses)} first"
        )


def require_room(target: Target, needed: int) -> None:
    """Raises: ConfigurationError: the image does not fit."""
    if target.bytes is not None and target.bytes < needed:
        raise ConfigurationError(
            f"{target.path} is too small: it has {size(target.bytes)} ({target.bytes} bytes), the image "
            f"takes {size(needed)} ({needed} bytes); use a larger card"
        )
