"""A lock on a folder, so that two tools never build in it at the same time. It ends with the process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError

NAME: Final = "lock"
"""The file in the folder that is locked."""


@contextmanager
def locked(folder: Path, *, waits: bool = False) -> Iterator[None]:
    """Hold the lock of a folder, which is made where it is missing.

    Args:
        waits: until another process has released it.

    Raises:
        ConfigurationError: another process holds it, and this one doesn't wait.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / NAME).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise ConfigurationError(
                f"another tool is at work in {folder}: wait for it to end"
            ) from None
        yield
