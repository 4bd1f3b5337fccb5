"""Notices that a model's weights change on the disk while they are in use.

ONNX Runtime maps the files of weights into memory and reads parts of them at every token. Whoever copies
another model over them shortens them first, and reading beyond the end of a mapped file ends the process
(SIGBUS). Copying the weights into memory instead would cost as much again: 27 MB for base in int8, and
100 MB while it loads.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rtap.errors import ModelChangedError, ModelError
from rtap.whisper.model_directory import ModelDirectory

_READ_AT_ONCE: Final = (".json", ".onnx", ".txt", ".md")
"""Files that nobody looks at again once the model is loaded."""


class MappedFiles:
    """The weights of one model, as they were before they were opened.

    It holds descriptors, so a file that is replaced by renaming is no change: the old one is still mapped.

    Raises:
        ModelError: one is missing, or has not the size that the manifest says.
    """

    def __init__(self, directory: ModelDirectory) -> None:
        self._files: list[tuple[int, Path, tuple[int, int]]] = []
        descriptors: list[int] = []
        weakref.finalize(self, _close, descriptors)
        for name, record in directory.manifest.files.items():
            if name.endswith(_READ_AT_ONCE):
                continue
            path = directory.file(name)
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise ModelError(
                    f"{path} cannot be read ({error.strerror}): copy the model again"
                ) from error
            descriptors.append(descriptor)
            state = _state(descriptor)
            if state[0] != record.bytes:
                raise ModelError(
                    f"{path} has {state[0]} bytes instead of {record.bytes}: copy the model again"
                )
            self._files.append((descriptor, path, state))

    def check(self) -> None:
        """Call it right before the weights are read; takes some microseconds.

        Raises:
            ModelChangedError: a file has another size or time than when the model was loaded.
        """
        for descriptor, path, state in self._files:
            if _state(descriptor) != state:
                raise ModelChangedError(
                    f"{path} was changed while it was in use, so nothing that it says can be trusted: the "
                    f"model is loaded anew, send the audio again (replace models by renaming)"
                )


def _state(descriptor: int) -> tuple[int, int]:
    """Size in bytes, and when it was last written, in nanoseconds."""
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
