"""The base system of the reference image: Debian's packages for arm64, unpacked and never installed.

None of their programs runs while the image is built, so it takes neither an emulator nor root; what their
maintainer scripts would have done is in :mod:`tools.system.reference.system_files`.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.debian import fetch
from tools.system.reference.payload import unpack_package

KERNEL: Final = "linux-image-arm64"
_SYSTEM: Final = (
    "base-files",
    "base-passwd",
    "bash",
    "coreutils",
    "dash",
    "dbus",
    "diffutils",
    "e2fsprogs",
    "fdisk",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "libc-bin",
    "libpam-modules",
    "libpam-runtime",
    "login",
    "mawk",
    "mount",
    "ncurses-base",
    "netbase",
    "passwd",
    "procps",
    "sed",
    "systemd",
    "systemd-sysv",
    "tar",
    "udev",
    "util-linux",
    "wget",
)
# What the layer's package group and recipes name, by Debian's names.
_DEPENDENCIES: Final = (
    "alsa-utils",
    "docker.io",
    "fonts-roboto-unhinted",
    "libqt6multimedia6",
    "libqt6quick6",
    "libqt6websockets6",
    "qml6-module-qtqml",
    "qml6-module-qtqml-workerscript",
    "qml6-module-qtquick",
    "qml6-module-qtquick-controls",
    "qml6-module-qtquick-layouts",
    "qml6-module-qtquick-shapes",
    "qml6-module-qtquick-templates",
    "qml6-module-qtquick-window",
    "qt6-qpa-plugins",
)
_INITIAL: Final = ("busybox-static",)
"""Only for the initramfs."""
PACKAGES: Final = (*_SYSTEM, *_DEPENDENCIES, *_INITIAL, KERNEL)
# What maintainer scripts need, and what nobody calls.
_LEFT_OUT: Final = frozenset(
    {
        "adduser",
        "cpio",
        "debconf",
        "dpkg",
        "initramfs-tools",
        "initramfs-tools-core",
        "iso-codes",
        "klibc-utils",
        "libklibc",
        "libperl5.36",
        "perl",
        "perl-modules-5.36",
        "usrmerge",
    }
)
# A third of the packages' bytes, and nothing that a test looks at.
_UNWANTED: Final = (
    # For them systemctl would change into the root and run a program there.
    "./etc/init.d/*",
    "./usr/share/doc/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./usr/share/lintian/*",
    "./usr/share/sounds/*",
    "./lib/modules/*/kernel/drivers/media/*",
    "./lib/modules/*/kernel/drivers/infiniband/*",
    "./lib/modules/*/kernel/drivers/net/wireless/*",
    "./lib/modules/*/kernel/drivers/net/ethernet/*",
    "./lib/modules/*/kernel/drivers/gpu/drm/amd/*",
    "./lib/modules/*/kernel/drivers/gpu/drm/nouveau/*",
    "./lib/modules/*/kernel/drivers/gpu/drm/radeon/*",
    "./lib/modules/*/kernel/drivers/scsi/*",
    "./lib/modules/*/kernel/drivers/staging/*",
    "./lib/modules/*/kernel/drivers/iio/*",
)


def packages(cache: Path, mirror: str | None) -> list[Path]:
    """Download the packages and what they need, once for a list of names.

    Args:
        cache: keeps them; removing it fetches newer ones.

    Raises:
        BuildError: mmdebstrap failed.
    """
    key = hashlib.sha256("\n".join([*PACKAGES, mirror or ""]).encode()).hexdigest()[:16]
    kept = cache / f"packages-{key}"
    if not kept.is_dir():
        with TemporaryDirectory(prefix=f"packages-{key}.", dir=cache) as folder:
            fresh = Path(folder) / "fetched"
            fetch(ARCHITECTURES["arm64"], PACKAGES, fresh, mirror)
            _keep(fresh, kept)
    return sorted((kept / "archives").glob("*.deb"))


def _keep(fresh: Path, kept: Path) -> None:
    """Whoever builds at the same time may have been quicker; what he keeps is as good."""
    try:
        fresh.rename(kept)
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise


def unpack_base(files: Sequence[Path], root: Path) -> None:
    """Lay the packages' files under ``root``, with /bin, /lib and /sbin as links into /usr."""
    for name in ("bin", "lib", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for file in files:
        if file.name.partition("_")[0] not in _LEFT_OUT:
            advice = f"remove {file.parents[1]} and run the same command again"
            unpack_package(file, root, _UNWANTED, advice=advice)
