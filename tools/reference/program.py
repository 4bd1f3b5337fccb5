"""Starts the programs that the image takes, so that what goes wrong is one line."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rtap.errors import StorageError
from tools.container.program import BuildError
from tools.yocto.process import complaint


def run(command: Sequence[str | Path], text: str = "", *, folder: Path | None = None) -> None:
    """Run a program to its end.

    Args:
        text: its input.
        folder: where it works.

    Raises:
        StorageError: it says that the disk is full.
        BuildError: it failed in another way.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=text,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr + done.stdout
        require_room(said)
        raise BuildError(f"{words[0]} failed with status {done.returncode}: {complaint(said)}")


def environment() -> dict[str, str]:
    """The process's own, less the user's language: :func:`require_room` reads what programs say."""
    return os.environ | {"LC_ALL": "C.UTF-8"}


def require_room(said: str) -> None:
    """Raises: StorageError: a program says that the disk is full."""
    # tar says the second of a block that did not fit as a whole.
    if os.strerror(errno.ENOSPC) in said or "Wrote only " in said:
        raise StorageError("the disk is full: free some space or choose another --output")
