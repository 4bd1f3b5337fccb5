"""Starts other programs so that what goes wrong becomes one line with the mend."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rtap.errors import ConfigurationError, RTAPException, StorageError

_LAST_WORDS = 300
"""Characters of a failed program's complaint that are shown."""


class BuildError(RTAPException):
    """A program that the build needs failed."""


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
    advice: str,
    name: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program without input and return its output.

    Args:
        advice: what to do when it fails.
        name: what to call it; default: the program's.
        environment: added to the process's own.

    Raises:
        StorageError: it says that the disk is full.
        BuildError: it failed in another way.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=os.environ | dict(environment or {}),
    )
    if done.returncode == 0:
        return done.stdout
    complaint = done.stderr + done.stdout
    if os.strerror(errno.ENOSPC) in complaint:
        raise StorageError("the disk is full: free some space or choose another --output")
    called = name or Path(words[0]).name
    raise BuildError(
        f"{called} failed with status {done.returncode} ({_telling(complaint)}): {advice}"
    )


def _telling(complaint: str) -> str:
    """The line of a complaint that says what is wrong: the last that calls itself an error."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "fatal"))]
    return (errors or lines or ["it said nothing"])[-1][-_LAST_WORDS:]
