"""What has to be in order before a build of hours begins. Each fault is one line with its mend."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError, RTAPException, StorageError
from rtap.whisper.model_directory import file_sha256
from tools.system.yocto import host_locale

GB: Final = 1_000_000_000
COLD_BUILD_GB: Final = 90
"""Sources, shared state and work of a first build, all of Qt, docker and the kernel among it."""
WARM_BUILD_GB: Final = 15
"""A further build in the same folder."""
INSTALL: Final = "tools/setup/install_packages.sh @tools/setup/packages/image.txt"
# bitbake's own list is longer; what is not here is on every Debian machine.
_PROGRAMS: Final = (
    "chrpath",
    "cpio",
    "diffstat",
    "file",
    "g++",
    "gawk",
    "git",
    "lz4c",
    "make",
    "patch",
    "rpcgen",
    "wget",
    "zstd",
)


class ContainerError(RTAPException):
    """The container's archive is missing or damaged."""

    exit_status = 2


def require_ordinary_user() -> None:
    """Raises: ConfigurationError: this is root, as whom bitbake refuses to run."""
    if os.geteuid() == 0:
        raise ConfigurationError("bitbake refuses to run as root: run this as an ordinary user")


def require_programs() -> None:
    """Raises: ConfigurationError: bitbake would miss something of its host."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} not installed: {INSTALL}")
    if not host_locale.has_english():
        raise ConfigurationError(
            f"bitbake wants the locale {host_locale.ENGLISH}: {host_locale.INSTALL}"
        )


def require_disk(work: Path, needed_gb: float | None) -> None:
    """Whether there is room for the build.

    Args:
        needed_gb: None: what such a build takes.

    Raises:
        StorageError: there is too little.
    """
    if needed_gb is None:
        needed_gb = WARM_BUILD_GB if any(work.glob("build-*/tmp/stamps")) else COLD_BUILD_GB
    existing = next(folder for folder in (work, *work.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / GB
    if free < needed_gb:
        raise StorageError(
            f"{existing} has {free:.0f} GB free, the build takes up to {needed_gb:.0f}: make room, or say "
            "with --free-gb how much is enough, for example with a shared-state mirror"
        )


def require_container(tarball: Path) -> None:
    """Whether a container is what its checksum says.

    Raises:
        ContainerError: it is not, or one of the two files is missing.
    """
    if not tarball.is_file():
        raise ContainerError(f"there is no {tarball}: tools/build_container makes it")
    beside = tarball.with_name(f"{tarball.name}.sha256")
    try:
        words = beside.read_text().split()
    except OSError as error:
        raise ContainerError(
            f"{beside} cannot be read ({error.strerror}): build the container again"
        ) from error
    actual = file_sha256(tarball)
    if not words or words[0].lower() != actual:
        expected = words[0] if words else "nothing"
        raise ContainerError(
            f"{tarball} has SHA-256 {actual}, but {beside.name} says {expected}: build the container again"
        )
