"""Turns an uploaded file into what the recogniser takes: checked, level, 16 kHz, a block at a time.

It is read twice: first to judge it, before it takes a place in the queue, then to transcribe it. So its
length costs no memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rtap import logs
from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE
from rtap.transports.admission.limits import check_not_too_long, check_not_too_short, most_values

if TYPE_CHECKING:
    from pathlib import Path

    from rtap.audio.file import Warn
    from rtap.audio.format import Samples
    from rtap.config import LimitsConfig
    from rtap.transports.rest.uploads import Upload

TARGET_DBFS: Final = -20.0
"""Level to which speech is brought: RMS of the loud parts, 0 is a full-scale square wave."""
HIGHEST_PEAK: Final = 0.97
"""The loudest sample that amplification may make."""
LARGEST_GAIN: Final = 10 ** (30 / 20)
"""More would turn the noise of an empty room into speech."""
WARNING_HEADER: Final = "X-Audio-Warning"
_LONGEST_HEADER: Final = 500
_MOST_WARNINGS: Final = 8
_BLOCK_SECONDS: Final = 1.0
_FRAME: Final = SAMPLE_RATE // 10
_LOUD: Final = 0.01
"""Of the loudest frame's power (-20 dB): frames above it are speech, for the level."""
_INAUDIBLE: Final = 1e-4

_log = logs.get("uploads")


def warning_headers(warnings: Sequence[str]) -> dict[str, str]:
    """What is wrong with audio that was used nevertheless, for replies whose bodies have no place for it."""
    if not warnings:
        return {}
    text = "; ".join(warnings).encode("ascii", "replace").decode()
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return {WARNING_HEADER: printable[:_LONGEST_HEADER]}


class Level:
    """Measures how loud a recording is, pauses left out."""

    def __init__(self) -> None:
        self._powers: list[NDArray[np.floating]] = []
        self._peak = 0.0

    def add(self, samples: Samples) -> None:
        """Take the next samples, shape (samples,); frames do not reach across blocks."""
        if not samples.size:
            return
        self._peak = max(self._peak, float(np.abs(samples).max()))
        starts = np.arange(0, samples.size, _FRAME)
        sums = np.add.reduceat(np.square(samples), starts)
        self._powers.append(sums / np.diff(starts, append=samples.size).astype(np.float32))

    def gain(self) -> float:
        """What to multiply with: for TARGET_DBFS, within HIGHEST_PEAK and LARGEST_GAIN; 1 for silence."""
        if self._peak < _INAUDIBLE:
            return 1.0
        powers = np.concatenate(self._powers)
        loud = powers[powers >= powers.max() * _LOUD]
        wanted = 10 ** (TARGET_DBFS / 20) / float(np.sqrt(loud.mean()))
        return min(wanted, HIGHEST_PEAK / self._peak, LARGEST_GAIN)


class UploadedAudio:
    """One upload as audio. Its methods may take a while: call them in a thread.

    Args:
        cancelled: set when nobody waits for it any more.
        directory: for copies of what cannot be read where it is; None: the system's.
    """

    def __init__(
        self, upload: Upload, cancelled: threading.Event, directory: Path | None = None
    ) -> None:
        self._upload = upload
        self._directory = directory
        self._most_values: int | None = None
        self._cancelled = cancelled
        self._gain = 1.0
        self.duration = 0.0
        """Seconds; known after :meth:`examine`."""
        self.warnings: list[str] = []
        """What is wrong with it although it is used; known after :meth:`examine`."""

    def examine(self, limits: LimitsConfig, *, normalize: bool) -> None:
        """Read all of it once.

        Args:
            normalize: whether :meth:`blocks` are to be brought to a level.

        Raises:
            AudioError: it cannot be decoded.
            ApiError: too short or too long.
            StorageError: no room to keep it.
        """
        level = Level()
        samples = 0
        self._most_values = most_values(limits)
        with self._open(self._note) as audio:
            check_not_too_long(audio.duration or 0.0, limits)
            for block in audio.blocks(_BLOCK_SECONDS):
                samples += block.size
                check_not_too_long(samples / SAMPLE_RATE, limits)
                if normalize:
                    level.add(block)
                if self._cancelled.is_set():
                    break
        self.duration = samples / SAMPLE_RATE
        check_not_too_short(self.duration)
        self._gain = level.gain() if normalize else 1.0

    def blocks(self) -> Iterator[Samples]:
        """16 kHz mono, a second at a time, for the recogniser's thread."""
        with self._open() as audio:
            for block in audio.blocks(_BLOCK_SECONDS):
                yield block if self._gain == 1.0 else block * np.float32(self._gain)

    def close(self) -> None:
        """Remove the upload; a reading that is under way may go on. For any thread."""
        self._upload.close()

    def _note(self, warning: str) -> None:
        _log.warning(warning)
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(warning)

    def _open(self, warn: Warn | None = None) -> AudioFile:
        # With a descriptor of its own: who reads is not disturbed by close(), and may close it.
        again = os.fdopen(os.dup(self._upload.open().fileno()), "rb", buffering=0)
        return AudioFile.open(
            again, "the upload", warn, most_values=self._most_values, directory=self._directory
        )
