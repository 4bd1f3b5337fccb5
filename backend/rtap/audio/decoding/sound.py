"""One part of an audio file through libsndfile."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from rtap.audio.decoding.source import CONVERT, DAMAGED, Part, Source
from rtap.errors import AudioError, StorageError

MAX_CHANNELS: Final = 8
"""Of 7.1 surround sound; microphone arrays in cars have four to eight."""
MIN_RATE, MAX_RATE = 1_000, 192_000
"""Hz. No recorder goes higher, and what is asked for decides how long a second of it takes to decode."""
MAX_PEAK: Final = 100.0
"""Decoders overshoot full scale (1.0) a little; far beyond it, float samples were never scaled."""

_READ_SECONDS: Final = 0.25
_READ_VALUES: Final = 65_536
_IN_MEMORY: Final = 1_000_000
"""Bytes of a part that are kept in memory; more goes to a temporary file."""
_UNKNOWN: Final = 1 << 62
"""libsndfile's number of frames where it does not know is the largest of 64 bits."""
_UNRECOGNISED_FORMAT, _SYSTEM_ERROR, _UNKNOWN_CODEC = 1, 2, 18
"""Error codes of libsndfile."""
_STREAMED_SIZE: Final = 0x7FFF0000
"""Programs that write WAV to a pipe put a size from here on in the header: length not known."""
_CHUNK_CUT_OFF: Final = re.compile(r"data : (\d+) \(should be (\d+)\)")
_PAGES_CUT_OFF: Final = re.compile(r"[Ee]nd-[Oo]f-[Ss]tream (?:bit|flag)")
NO_AUDIO: Final = "{name} has no audio in it, or is cut off: record or copy it again"


class _Forward(soundfile.SoundFile):  # type: ignore[misc]  # it ships no types
    """Read from the beginning to the end only.

    soundfile seeks after each read, to where it is anyway. An MP3 decoder forgets at that what the next frame
    builds on, and distorts it; a FLAC file of unknown length cannot seek, and its last samples got lost.
    """

    def seekable(self) -> bool:
        return False


class Sound:
    """A part that is open for decoding.

    Raises:
        AudioError: damaged, or in a form that is not read.
        StorageError: no room for a copy of the part.
    """

    def __init__(self, source: Source, part: Part, directory: Path | None) -> None:
        self._source = source
        self._copy = None if part.is_whole_file else _copy(source, part, directory)
        self._descriptor = self._copy.fileno() if self._copy else source.descriptor
        self.warning = part.warning
        try:
            self._sound = _open(self._descriptor, source.name)
        except BaseException:
            self._close_copy()
            raise
        self.rate = int(self._sound.samplerate)
        """Hz."""
        self.channels = int(self._sound.channels)
        self.frames: int | None = int(self._sound.frames)
        """By the header; None if it does not say."""
        if self.frames >= _UNKNOWN:
            self.frames = None
        self.breaks_off = False
        """Whether less came than the header says; known at the end."""

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All samples, shape (frames, channels), 65,536 values or a quarter of a second at most at a time.

        Raises:
            AudioError: damaged or unreadable in the middle, or samples that are not numbers.
        """
        size = max(1, min(int(self.rate * _READ_SECONDS), _READ_VALUES // self.channels))
        done = 0
        while len(block := self._read(size, done / self.rate)):
            self._check_samples(block, done / self.rate)
            done += len(block)
            yield block
        self.breaks_off = self._breaks_off(done)

    def close(self) -> None:
        """Close it, and remove the copy that it was read from."""
        self._sound.close()
        self._close_copy()

    def _close_copy(self) -> None:
        if self._copy:
            self._copy.close()

    def _read(self, frames: int, position: float) -> NDArray[np.float32]:
        try:
            block = self._sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            name = self._source.name
            if error.code == _SYSTEM_ERROR:
                raise AudioError(
                    f"{name} cannot be read any further at {position:.1f} s: copy it again"
                ) from error
            if position and self._is_at_end():
                return np.empty((0, self.channels), np.float32)
            where = f" at {position:.1f} s" if position else ""
            raise AudioError(
                f"{name} is cut off or damaged{where}: record, export or copy it again"
            ) from error
        return cast("NDArray[np.float32]", block)

    def _is_at_end(self) -> bool:
        position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        return position >= os.fstat(self._descriptor).st_size

    def _check_samples(self, block: NDArray[np.float32], position: float) -> None:
        peak = max(float(block.max()), -float(block.min()))
        if peak <= MAX_PEAK:
            return
        name = self._source.name
        if np.isfinite(peak):
            raise AudioError(
                f"{name} has samples up to {peak:.4g} at {position:.1f} s, where full scale is 1: "
                f"divide them by 32768 or save it as 16-bit PCM"
            )
        raise AudioError(
            f"{name} has samples that are not numbers (NaN or infinite) at {position:.1f} s: "
            f"export it again"
        )

    def _breaks_off(self, frames: int) -> bool:
        # Lossy formats state their length to within a packet or two.
        stated = self.frames or 0
        if frames < stated * 0.99 - self.rate * 0.1:
            return True
        log = self._sound.extra_info
        if cut := _CHUNK_CUT_OFF.search(log):
            return int(cut[2]) < int(cut[1]) < _STREAMED_SIZE
        if _PAGES_CUT_OFF.search(log):
            return True
        return frames < stated and bool(self._sound.format == "FLAC")


def _open(descriptor: int, name: str) -> soundfile.SoundFile:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        sound = _Forward(descriptor, closefd=False)
    except soundfile.LibsndfileError as error:
        raise _cannot_open(name, error) from error
    problem = None
    if sound.channels > MAX_CHANNELS:
        problem = f"has {sound.channels} channels, {MAX_CHANNELS} at most can be read: mix it down"
    elif not MIN_RATE <= sound.samplerate <= MAX_RATE:
        problem = (
            f"says that it has {sound.samplerate} samples a second, {MIN_RATE} to {MAX_RATE} can be "
            f"read: export it again"
        )
    if problem:
        sound.close()
        raise AudioError(f"{name} {problem}")
    return sound


def _cannot_open(name: str, error: soundfile.LibsndfileError) -> AudioError:
    if error.code == _SYSTEM_ERROR:
        return AudioError(f"{name} cannot be read: copy it again")
    if error.code in (_UNRECOGNISED_FORMAT, _UNKNOWN_CODEC):
        return AudioError(
            f"{name} is cut off, or in an encoding that cannot be read: give WAV, FLAC, OGG or MP3, or "
            f"{CONVERT}"
        )
    return AudioError(DAMAGED.format(name=name))


def _copy(source: Source, part: Part, directory: Path | None) -> IO[bytes]:
    """The part as a file of its own, without a name."""
    copy: IO[bytes] | None = None
    try:
        if part.size <= _IN_MEMORY:
            copy = os.fdopen(os.memfd_create("audio"), "w+b")
        else:
            if directory is not None:
                directory.mkdir(parents=True, exist_ok=True)
            copy = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 (see close)
        copy.write(part.prefix)
        for piece in source.pieces(part.regions):
            copy.write(piece)
        copy.flush()
    except BaseException as error:
        if copy:
            with suppress(OSError):  # it may have the rest to write
                copy.close()
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"{source.name} cannot be rewritten in a temporary file ({error.strerror}): make room in "
            f"{directory or 'the temporary folder'}, or set TMPDIR or CACHE_DIR to a larger disk"
        ) from error
    return copy
