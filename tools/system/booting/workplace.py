"""Where a boot has its files: a folder that is removed with all in it, at the latest by the next boot."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rtap.errors import StorageError
from tools.root import CACHE

FOLDERS: Final = CACHE / "boot"
"""On a disk, not in a /tmp that may be memory: what a guest writes can be gigabytes."""
_PREFIX: Final = "run-"


@contextlib.contextmanager
def temporary_folder(cache: Path = FOLDERS) -> Iterator[Path]:
    """A folder of this boot's own.

    Raises:
        StorageError: there is no place for it.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(cache)
        folder = Path(tempfile.mkdtemp(dir=cache, prefix=_PREFIX))
    except OSError as error:
        raise StorageError(
            f"{cache} cannot be written ({error.strerror}): make room or change its permissions"
        ) from error
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(cache: Path) -> None:
    """What a boot left that was itself killed: nobody holds its lock."""
    for folder in cache.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _locked(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises: OSError: somebody else holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
