"""Recordings of a person that a Debian package holds: the prompts of alsa-utils, "front center" and the like.

They are taken from where the package is installed, or out of the package without installing it. They are not
ours, so none of them is copied into the repository.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.root import CACHE, ROOT

PACKAGE: Final = "alsa-utils"
FOLDER: Final = Path("usr/share/sounds/alsa")
PROMPTS: Final = {
    f"{name}.wav": name.replace("_", " ").lower()
    for name in (
        "Front_Center",
        "Front_Left",
        "Front_Right",
        "Rear_Center",
        "Rear_Left",
        "Rear_Right",
        "Side_Left",
        "Side_Right",
    )
}
"""The files and what is said in them."""


def recordings(system: Path = Path("/"), cache: Path = CACHE / "people") -> dict[Path, str]:
    """The recordings and what is said in them; none where the package is not to be had.

    Args:
        system: where packages are installed.
        cache: gets the package's files where it is not installed.
    """
    places = (system, cache)
    files = _found(places)
    if not files:
        _download(cache)
        files = _found(places)
    if not files:
        _install()
        files = _found(places)
    return files


def _found(places: Sequence[Path]) -> dict[Path, str]:
    for root in places:
        files = {root / FOLDER / name: text for name, text in PROMPTS.items()}
        if all(file.is_file() for file in files):
            return files
    return {}


def _download(cache: Path) -> None:
    """Fetch the package as an ordinary user can, and unpack it."""
    with tempfile.TemporaryDirectory(prefix="rtap-people-") as folder:
        if _succeeds("apt-get", "--quiet", "download", PACKAGE, folder=folder):
            for package in Path(folder).glob("*.deb"):
                cache.mkdir(parents=True, exist_ok=True)
                _succeeds("dpkg-deb", "--extract", str(package), str(cache))


def _install() -> None:
    """Install the package, which takes root: for where package lists were never fetched."""
    _succeeds(str(ROOT / "tools/setup/install_packages.sh"), PACKAGE)


def _succeeds(*command: str, folder: str | None = None) -> bool:
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
