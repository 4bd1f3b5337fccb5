"""The programs that a boot needs, and how to get them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError, StorageError
from tools.process import programs

INSTALL: Final = "tools/setup/install_packages.sh @tools/setup/packages/boot.txt"
QEMU: Final = "qemu-system-aarch64"


def require(name: str) -> str:
    """The program's path.

    Raises:
        ConfigurationError: it is not installed.
    """
    if found := shutil.which(name):
        return found
    raise ConfigurationError(f"{name} is not installed: run {INSTALL}")


def missing(*names: str) -> str:
    """Empty when all are installed, otherwise what to do."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed: run {INSTALL}" if absent else ""


def run(
    command: Sequence[str | Path],
    *,
    advice: str,
    target: Path,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program without input and return its output.

    Args:
        advice: what to do when it fails.
        target: what it writes, for the message about a full disk.

    Raises:
        ConfigurationError: it is not installed.
        BuildError: it failed.
        StorageError: the disk is full.
    """
    path = require(str(command[0]))
    try:
        return programs.run([path, *command[1:]], advice=advice, environment=environment)
    except StorageError as error:
        raise disk_full(target) from error


def disk_full(target: Path) -> StorageError:
    """Says that there is no room."""
    return StorageError(
        f"{target} cannot be written, its disk is full: free some space, or choose another --disk"
    )
