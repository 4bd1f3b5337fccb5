"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from rtap.errors import StorageError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, making its directory; an earlier file of that name stays until the end.

    Raises:
        StorageError: no room, no permission, or something in the way.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with temporary.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): make room, or choose another directory"
        ) from error
