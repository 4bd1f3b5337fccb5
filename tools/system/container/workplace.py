"""The folder that an image is built in, and what its disk may refuse."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rtap.errors import StorageError

NEEDED_BYTES: Final = 1_200_000_000
"""What a build takes at its fullest, besides the model: packages, folders, layers and the archive."""


@contextmanager
def workplace(output: Path, model_bytes: int) -> Iterator[Path]:
    """A folder inside ``output``, which is made; it is gone afterwards.

    Raises:
        StorageError: output cannot be written, or has too little room.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        # The model is there three times: in its folder, in the layer, in the archive.
        needed = NEEDED_BYTES + 3 * model_bytes
        free = shutil.disk_usage(output).free
        if free < needed:
            raise StorageError(
                f"{output} has {free // 1_000_000} MB left and the build takes {needed // 1_000_000} MB: "
                "free some space or choose another --output"
            )
        with tempfile.TemporaryDirectory(prefix=".build-", dir=output) as folder:
            yield Path(folder).resolve()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageError(
                "the disk is full: free some space or choose another --output"
            ) from error
        raise StorageError(
            f"{error.filename or output} cannot be written ({error.strerror}): choose another --output"
        ) from error
