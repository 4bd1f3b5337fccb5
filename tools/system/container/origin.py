"""Which state of the project an image is made from."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rtap import __version__
from rtap.errors import ConfigurationError
from tools.system.container.image_config import Origin
from tools.system.container.layers import FILE_TIME

_SOURCES: Final = (
    "backend",
    "conf/profiles",
    "pyproject.toml",
    "requirements.lock",
    "tools/system/container",
)
"""What gets into the image, or decides what does."""


def find_origin(root: Path, environment: Mapping[str, str]) -> Origin:
    """The checkout's commit; SOURCE_DATE_EPOCH and SOURCE_REVISION come first.

    Raises:
        ConfigurationError: SOURCE_DATE_EPOCH is no number.
    """
    head = _git(root, "show", "--no-patch", "--format=%H %ct", "HEAD")
    revision, _, seconds = (head or f"unknown {FILE_TIME}").partition(" ")
    if head and _git(root, "status", "--porcelain", "--", *_SOURCES):
        revision += "-dirty"
    if epoch := environment.get("SOURCE_DATE_EPOCH"):
        if not epoch.isdecimal():
            raise ConfigurationError(
                f"SOURCE_DATE_EPOCH is {epoch}: give seconds since 1970, or unset it"
            )
        seconds = epoch
    return Origin(__version__, environment.get("SOURCE_REVISION") or revision, int(seconds))


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty outside a checkout and where there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
