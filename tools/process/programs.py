"""Starts the programs that build something, so that what goes wrong is one line with what to do."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError, RTAPException, StorageError
from tools.process.run import complaint

_LONGEST: Final = 300
"""Characters of a failed program's complaint that are shown, its end."""


class BuildError(RTAPException):
    """A program that a build needs failed."""


def require(program: str, package: str) -> str:
    """The program's path.

    Raises:
        ConfigurationError: it is not installed.
    """
    if found := shutil.which(program):
        return found
    raise ConfigurationError(f"{program} is not installed: apt-get install {package}")


def run(
    command: Sequence[str | Path],
    *,
    text: str = "",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    name: str | None = None,
    advice: str | None = None,
) -> str:
    """Run a program to its end and return its output.

    Args:
        text: its input.
        folder: where it works.
        environment: added to :func:`plain_environment`.
        name: what to call it; default: the program's.
        advice: what to do when it fails.

    Raises:
        StorageError: it says that the disk is full.
        BuildError: it failed in another way.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=text,
        cwd=folder,
        env=plain_environment() | dict(environment or {}),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    said = done.stderr + done.stdout
    require_room(said)
    why = complaint(said, is_last=True)[-_LONGEST:]
    failed = f"{name or Path(words[0]).name} failed with status {done.returncode}"
    raise BuildError(f"{failed} ({why}): {advice}" if advice else f"{failed}: {why}")


def plain_environment() -> dict[str, str]:
    """The process's own, without the user's language: :func:`require_room` reads what programs say."""
    return os.environ | {"LC_ALL": "C.UTF-8"}


def require_room(said: str) -> None:
    """Raises: StorageError: a program says that the disk is full."""
    # tar says the second of a block that did not fit as a whole.
    if os.strerror(errno.ENOSPC) in said or "Wrote only " in said:
        raise StorageError("the disk is full: free some space or choose another --output")
