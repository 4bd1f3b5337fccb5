"""Options of the tools that build into ``build``: the container, the reference image, a release."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from rtap import __version__
from tools.root import ROOT

BUILD: Final = ROOT / "build"
CONTAINER: Final = BUILD / "container"


def add_container(parser: ArgumentParser) -> None:
    """``--container DIR``."""
    parser.add_argument(
        "--container",
        type=Path,
        default=CONTAINER,
        metavar="DIR",
        help=f"what tools/build_container wrote; default: {_short(CONTAINER)}",
    )


def add_output(parser: ArgumentParser, default: Path, what: str = "") -> None:
    """``--output DIR``.

    Args:
        what: happens with the folder, for ``--help``.
    """
    note = f"{what}; " if what else ""
    parser.add_argument(
        "--output",
        type=Path,
        default=default,
        metavar="DIR",
        help=f"{note}default: {_short(default)}",
    )


def add_version(parser: ArgumentParser) -> None:
    """``--version VERSION``."""
    parser.add_argument("--version", default=__version__, help=f"default: rtap's, {__version__}")


def add_mirror(parser: ArgumentParser) -> None:
    """``--mirror URL``."""
    parser.add_argument(
        "--mirror",
        metavar="URL",
        help="of Debian's packages, such as a snapshot, which gives the same result again later",
    )


def _short(folder: Path) -> Path:
    return folder.relative_to(ROOT)
