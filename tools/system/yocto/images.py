"""Which images there are: the machines and releases that ``kas/`` describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rtap.errors import ConfigurationError
from tools.root import ROOT

DEFAULT_MACHINE: Final = "raspberrypi4-64"
RELEASES: Final = {"scarthgap": None, "kirkstone": "kirkstone.yml"}
"""Yocto releases, the default first, and the kas file that chooses each; none is needed for the default."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image that can be built."""

    release: str
    machine: str

    def __str__(self) -> str:
        return f"{self.machine} on {self.release}"

    def kas_files(self, options: Sequence[str | Path] = ()) -> str:
        """What kas takes on its command line.

        Args:
            options: names in ``kas/opt``, or files.
        """
        names: list[Path] = [ROOT / "kas" / f"{self.machine}.yml"]
        overlay = RELEASES[self.release]
        if overlay is not None:
            names.append(ROOT / "kas" / overlay)
        names += [one if isinstance(one, Path) else option_file(one) for one in options]
        return ":".join(map(str, names))


def machines() -> list[str]:
    """Names that MACHINE may have: of every file in ``kas/`` that sets one."""
    return sorted(
        file.stem for file in (ROOT / "kas").glob("*.yml") if "machine" in _document(file)
    )


def options() -> list[str]:
    """Names of the files in ``kas/opt``."""
    return sorted(file.stem for file in (ROOT / "kas/opt").glob("*.yml"))


def choose(machine: str, release: str) -> Image:
    """Raises: ConfigurationError: there is no such machine or release."""
    if machine not in machines():
        raise ConfigurationError(
            f"unknown MACHINE {machine!r}: choose one of {', '.join(machines())}"
        )
    if release not in RELEASES:
        raise ConfigurationError(
            f"unknown RELEASE {release!r}: choose one of {', '.join(RELEASES)}"
        )
    return Image(release, machine)


def option_file(name: str) -> Path:
    """Raises: ConfigurationError: there is no such option."""
    file = ROOT / "kas/opt" / f"{name}.yml"
    if not file.is_file():
        raise ConfigurationError(f"unknown option {name!r}: choose of {', '.join(options())}")
    return file


def all_images() -> list[Image]:
    """Every machine on every release."""
    return [Image(release, machine) for release in RELEASES for machine in machines()]


def repositories(release: str) -> dict[str, str]:
    """Upstream addresses of the layers' repositories, by name."""
    image = Image(release, machines()[0])
    urls: dict[str, str] = {}
    files = [ROOT / "kas/base.yml", *map(Path, image.kas_files().split(":"))]
    for file in files:
        for name, repository in _document(file).get("repos", {}).items():
            if "url" in (repository or {}):
                urls[name] = repository["url"]
    return urls


def _document(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document
