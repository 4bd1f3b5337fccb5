"""A folder that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rtap.errors import ConfigurationError, StorageError
from tools.system.releasing.manifest import NAME as MANIFEST


@contextmanager
def new_folder(target: Path, *, is_replaced: bool) -> Iterator[Path]:
    """A folder to fill; it becomes ``target`` when all went well, and is gone otherwise.

    Args:
        is_replaced: whether a release that stands there goes once the new one is complete.

    Raises:
        ConfigurationError: something stands there.
        StorageError: the disk refuses.
    """
    _check(target, is_replaced=is_replaced)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as work:
            folder = Path(work, "new")
            folder.mkdir()
            yield folder
            for path in [*folder.iterdir(), folder]:
                _sync(path)
            if target.exists():
                target.rename(Path(work, "old"))
            folder.rename(target)
            _sync(target.parent)
    except OSError as error:
        where = error.filename or target
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageError(
                "the disk is full: free some space or choose another --output; nothing was left behind"
            ) from error
        raise StorageError(
            f"{where} cannot be written or read ({error.strerror}): choose another --output"
        ) from error


def _check(target: Path, *, is_replaced: bool) -> None:
    if not target.exists():
        return
    if not is_replaced:
        raise ConfigurationError(f"{target} exists already: add --force to replace it")
    if not (target / MANIFEST).is_file():
        raise ConfigurationError(
            f"{target} is no release, so --force does not replace it: move it away"
        )


def _sync(path: Path) -> None:
    """A rename may reach the disk before the data does."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
