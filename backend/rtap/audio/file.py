"""Audio files of any rate, channel count and kind, as 16 kHz mono blocks.

Reading streams: memory does not depend on the length of the file. What a file is gets decided by its
content, never by its name, and it is read until its bytes are used up, whatever its header counts.

A file that breaks off (an interrupted copy or download) is read as far as it goes, and the caller is
warned. A file that is damaged in the middle is an :class:`AudioError`: text with a hole in it would pass
for the whole.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self

import numpy as np
import soxr
from numpy.typing import NDArray

from rtap.audio.decoding.kinds import NotAudioError, parts_of
from rtap.audio.decoding.sound import NO_AUDIO, Sound
from rtap.audio.decoding.source import DearAudioError, Part, Source
from rtap.audio.downmix import mixed
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import AudioError, StorageError

__all__ = ["AudioFile", "DearAudioError", "NotAudioError", "Warn"]

_ENDS_EARLY = (
    "{name} breaks off after {seconds:.1f} s: the rest is missing, copy or record it again"
)
_CANCELS = (
    "{name} has channels that cancel each other when they are mixed: channel {channel} alone is used, check "
    "the wiring or the export"
)

Warn = Callable[[str], None]


class AudioFile:
    """An opened audio file; a context manager, read once from beginning to end."""

    def __init__(
        self,
        file: IO[bytes],
        source: Source,
        warn: Warn,
        directory: Path | None,
    ) -> None:
        """Use :meth:`open`."""
        self._file = file
        self._source = source
        self._warn = warn
        self._values_left = source.most_values
        self._directory = directory
        self._channel: int | None = None
        """The one that is used since others cancelled it."""
        self._parts = parts_of(source)
        self._sound = self._open_part(self._parts[0])
        self.name = source.name
        """As it is called in messages."""
        if self.duration == 0 and len(self._parts) == 1:
            self._sound.close()
            raise AudioError(NO_AUDIO.format(name=self.name))

    @classmethod
    def open(
        cls,
        source: Path | BinaryIO,
        name: str,
        warn: Warn | None = None,
        *,
        most_values: int | None = None,
        directory: Path | None = None,
    ) -> Self:
        """Open a file, or a binary stream such as standard input, copied to disk unless it is a file.

        Args:
            source: a stream is closed together with the audio file.
            name: used in messages.
            warn: gets one line when the audio is used although something is wrong with it.
            most_values: samples, those of every channel counted, that are decoded at most; None: all.
            directory: for copies of parts that cannot be read where they are; None: the system's.

        Raises:
            AudioError: it cannot be opened, is empty, or is not audio.
            DearAudioError: it has more than ``most_values``.
            StorageError: no room for a copy.
        """
        file = _on_disk(source, name)
        try:
            descriptor = file.fileno()
            size = os.lseek(descriptor, 0, os.SEEK_END)
            opened = Source(descriptor, size, name, most_values)
            return cls(file, opened, warn or (lambda _: None), directory)
        except BaseException:
            file.close()
            raise

    @property
    def duration(self) -> float | None:
        """Seconds of audio by the header; None if it does not say, or there are several parts."""
        if len(self._parts) > 1 or self._sound.frames is None:
            return None
        return self._sound.frames / self._sound.rate

    def blocks(self, seconds: float = 10.0) -> Iterator[NDArray[np.float32]]:
        """16 kHz mono samples from -1 to 1, in blocks of ``seconds``; the last one is shorter.

        Raises:
            AudioError: damaged or unreadable in the middle, or samples that are not numbers.
        """
        wanted = max(1, round(seconds * SAMPLE_RATE))
        pending: list[NDArray[np.float32]] = []
        have = 0
        for chunk in self._resampled():
            pending.append(chunk)
            have += len(chunk)
            while have >= wanted:
                joined = np.concatenate(pending)
                yield joined[:wanted]
                pending = [joined[wanted:]]
                have -= wanted
        if have:
            yield np.concatenate(pending)

    def _resampled(self) -> Iterator[NDArray[np.float32]]:
        is_empty = True
        for part in self._parts:
            if part is not self._parts[0]:
                self._sound.close()
                self._sound = self._open_part(part)
            rate = self._sound.rate
            mono = self._mono()
            for chunk in mono if rate == SAMPLE_RATE else _resample(mono, rate):
                is_empty = False
                yield np.clip(chunk, -1.0, 1.0)
        if is_empty:
            raise AudioError(NO_AUDIO.format(name=self.name))

    def _mono(self) -> Iterator[NDArray[np.float32]]:
        """The samples of one part at its own rate."""
        sound, frames = self._sound, 0
        for block in sound.blocks():
            self._spend(block.size)
            frames += len(block)
            yield self._mixed(block)
        if sound.breaks_off and frames:
            self._warn(_ENDS_EARLY.format(name=self.name, seconds=frames / sound.rate))
        if sound.warning:
            self._warn(f"{self.name} {sound.warning}")

    def _mixed(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        before = self._channel
        mono, self._channel = mixed(block, before)
        if self._channel is not None and before is None:
            self._warn(_CANCELS.format(name=self.name, channel=self._channel + 1))
        return mono

    def _open_part(self, part: Part) -> Sound:
        sound = Sound(self._source, part, self._directory)
        try:
            if self._values_left is not None and sound.frames is not None:
                self._check_affordable(sound, sound.frames * sound.channels)
        except BaseException:
            sound.close()
            raise
        return sound

    def _spend(self, values: int) -> None:
        if self._values_left is not None:
            self._check_affordable(self._sound, values)
            self._values_left -= values

    def _check_affordable(self, sound: Sound, values: int) -> None:
        if self._values_left is not None and values > self._values_left:
            raise DearAudioError(self._source.name, sound.rate, sound.channels)

    def close(self) -> None:
        """Close the file, and the stream it came from."""
        self._sound.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _on_disk(source: Path | BinaryIO, name: str) -> IO[bytes]:
    """A file that libsndfile can read by its descriptor: an interrupt would get lost in a callback."""
    try:
        file = source.open("rb", buffering=0) if isinstance(source, Path) else source
        if _has_descriptor(file) and file.seekable():
            return file
    except IsADirectoryError:
        raise AudioError(f"{name} is a directory: give the audio files in it") from None
    except FileNotFoundError:
        raise AudioError(f"{name} does not exist: check the path") from None
    except PermissionError:
        raise AudioError(f"{name} may not be read: check its permissions") from None
    except OSError as error:
        raise AudioError(f"{name} cannot be opened ({error.strerror}): check the path") from error
    except ValueError as error:  # a zero byte in the path, or a closed stream
        raise AudioError(f"{name} cannot be opened ({error}): check the path") from error
    return _spool(file, name)


def _spool(stream: IO[bytes], name: str) -> IO[bytes]:
    spool: IO[bytes] | None = None
    try:
        spool = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (AudioFile closes it)
        with stream:
            shutil.copyfileobj(stream, spool)
    except BaseException as error:
        if spool:
            spool.close()
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"{name} cannot be kept in a temporary file ({error.strerror}): "
            f"make room or set TMPDIR to a larger disk"
        ) from error
    return spool


def _has_descriptor(file: IO[bytes]) -> bool:
    try:
        return file.fileno() >= 0
    except io.UnsupportedOperation:
        return False


def _resample(chunks: Iterator[NDArray[np.float32]], rate: int) -> Iterator[NDArray[np.float32]]:
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for chunk in chunks:
        yield stream.resample_chunk(chunk)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)
