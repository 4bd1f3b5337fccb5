"""What checks need of the machine; where it is missing, the check is skipped with the way to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tools.root import ROOT
from tools.system.image_checks.verdict import CannotCheck, Need
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto import host_locale
from tools.system.yocto.mirrors import VARIABLE
from tools.system.yocto.ordinary_user import PATH

PACKAGES: Final = ROOT / "tools/setup/packages/image.txt"
INSTALL: Final = "tools/setup/install_packages.sh @tools/setup/packages/image.txt"


def layer(_workshop: Workshop) -> None:
    """The layer itself."""
    if not (ROOT / "meta-userapp/conf/layer.conf").is_file():
        raise CannotCheck("meta-userapp/conf/layer.conf is missing: check out the whole repository")


def git_checkout(_workshop: Workshop) -> None:
    """What kas takes file names to be relative to."""
    if not (ROOT / ".git").exists():
        raise CannotCheck(f"{ROOT} is no git checkout, which kas wants: clone the repository")


def mirrors(workshop: Workshop) -> None:
    """Local copies of the layers' repositories."""
    if workshop.without_mirror:
        raise CannotCheck(
            f"no local mirror of {', '.join(workshop.without_mirror)}: set {VARIABLE} to a folder with "
            "OWNER+NAME/repo or NAME.git for each"
        )


def readable_checkout(workshop: Workshop) -> None:
    """The user who runs bitbake sees the project."""
    command = workshop.user.command(["test", "-r", str(ROOT / "kas/base.yml")])
    if subprocess.run(command, check=False).returncode:
        raise CannotCheck(
            f"the user {workshop.user.name} cannot read {ROOT}: name one that can with IMAGE_CHECK_USER"
        )


def english_locale(workshop: Workshop) -> None:
    """The one that bitbake insists on, for the user and with the variables that bitbake will have."""
    if not host_locale.has_english(workshop.user.command([]), {"PATH": PATH}):
        raise CannotCheck(f"no locale {host_locale.ENGLISH}: {host_locale.INSTALL}")


def root(_workshop: Workshop) -> None:
    """Owners and devices."""
    if os.geteuid() != 0:
        raise CannotCheck("this takes root: sudo tools/image_check --only NAME")


def programs(*names: str) -> Need:
    """Programs on the ordinary user's path, or files."""

    def need(_workshop: Workshop) -> None:
        missing = [one for one in names if not (Path(one).exists() or shutil.which(one, path=PATH))]
        if missing:
            raise CannotCheck(f"no {', '.join(missing)}: {INSTALL}")

    return need


BITBAKE: Final[tuple[Need, ...]] = (
    layer,
    git_checkout,
    mirrors,
    readable_checkout,
    english_locale,
    programs("git", "chrpath", "diffstat", "gawk", "cpio", "lz4c", "rpcgen", "zstd", "g++", "make"),
)
"""For whatever starts bitbake."""

MASKED: Final[tuple[Need, ...]] = (
    *BITBAKE,
    programs(
        "pseudo",
        "rpmbuild",
        "quilt",
        "debugedit",
        "apt-ftparchive",
        "dpkg-deb",
        "aarch64-linux-gnu-objdump",
    ),
)
"""For builds of our own recipes with Debian's tools."""
