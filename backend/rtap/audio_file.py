"""Audio files of any rate, channel count and kind, as 16 kHz mono blocks.

Reading streams: memory does not depend on the length of the file. What a file is gets decided by its
content, never by its name.

A file that breaks off (an interrupted copy or download) is read as far as it goes, and the caller is
warned. A file that is damaged in the middle is an :class:`AudioError`: text with a hole in it would pass
for the whole.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from rtap.audio_format import SAMPLE_RATE
from rtap.errors import AudioError, StorageError

MAX_CHANNELS = 64
MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_PEAK = 100.0
"""Decoders overshoot full scale (1.0) a little; far beyond it, float samples were never scaled."""

_READ_SECONDS = 0.25
_READ_VALUES = 65536
_UNRECOGNISED_FORMAT, _SYSTEM_ERROR, _UNKNOWN_CODEC = 1, 2, 18
"""Error codes of libsndfile."""
_STREAMED_SIZE = 0x7FFF0000
"""Programs that write WAV to a pipe put a size from here on in the header: length not known."""
_CHUNK_CUT_OFF = re.compile(r"(?:data|SSND) : (\d+) \(should be (\d+)\)")
_PAGES_CUT_OFF = re.compile(r"[Ee]nd-[Oo]f-[Ss]tream (?:bit|flag)")
_ENDS_EARLY = (
    "{name} breaks off after {seconds:.1f} s: the rest is missing, copy or record it again"
)

Warn = Callable[[str], None]


class NotAudioError(AudioError):
    """What was given is something else than audio, or audio of a kind that is not read."""


class AudioFile:
    """An opened audio file; a context manager, read once from beginning to end."""

    def __init__(self, file: IO[bytes], sound: soundfile.SoundFile, name: str, warn: Warn) -> None:
        self._file = file
        self._sound = sound
        self._warn = warn
        self.name = name
        """As it is called in messages."""

    @classmethod
    def open(cls, source: Path | BinaryIO, name: str, warn: Warn | None = None) -> Self:
        """Open a file, or a binary stream such as standard input, copied to disk unless it is a file.

        Args:
            source: a stream is closed together with the audio file.
            name: used in messages.
            warn: gets one line when the audio is used although something is wrong with it.

        Raises:
            AudioError: it cannot be opened, is empty, or is not audio.
            StorageError: no room to spool a stream.
        """
        file = _on_disk(source, name)
        try:
            sound = _open_sound(file, name)
        except BaseException:
            file.close()
            raise
        return cls(file, sound, name, warn or (lambda _: None))

    @property
    def duration(self) -> float | None:
        """Seconds of audio by the header; None if it does not say."""
        frames, rate = int(self._sound.frames), int(self._sound.samplerate)
        # libsndfile's "unknown" is the largest 64-bit number.
        return frames / rate if 0 < frames < 1 << 62 else None

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
        rate = int(self._sound.samplerate)
        if rate == SAMPLE_RATE:
            chunks: Iterator[NDArray[np.float32]] = self._mono()
        else:
            chunks = _resample(self._mono(), rate)
        for chunk in chunks:
            yield np.clip(chunk, -1.0, 1.0)

    def _mono(self) -> Iterator[NDArray[np.float32]]:
        rate, channels = int(self._sound.samplerate), int(self._sound.channels)
        size = max(1, min(int(rate * _READ_SECONDS), _READ_VALUES // channels))
        frames = 0
        while len(chunk := self._read(size, frames / rate)):
            self._check_samples(chunk, frames / rate)
            frames += len(chunk)
            yield chunk[:, 0] if channels == 1 else chunk.mean(axis=1, dtype=np.float32)
        if not frames:
            raise AudioError(
                f"{self.name} has no audio in it, or is cut off: record or copy it again"
            )
        if self._breaks_off(frames):
            self._warn(_ENDS_EARLY.format(name=self.name, seconds=frames / rate))

    def _read(self, frames: int, position: float) -> NDArray[np.float32]:
        try:
            chunk = self._sound.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            if error.code == _SYSTEM_ERROR:
                raise AudioError(
                    f"{self.name} cannot be read any further at {position:.1f} s: copy it again"
                ) from error
            if position and _at_end(self._file):
                return np.empty((0, 1), np.float32)
            where = f" at {position:.1f} s" if position else ""
            raise AudioError(
                f"{self.name} is cut off or damaged{where}: record, export or copy it again"
            ) from error
        return cast("NDArray[np.float32]", chunk)

    def _check_samples(self, chunk: NDArray[np.float32], position: float) -> None:
        peak = max(float(chunk.max()), -float(chunk.min()))
        if peak <= MAX_PEAK:
            return
        if np.isfinite(peak):
            raise AudioError(
                f"{self.name} has samples up to {peak:.4g} at {position:.1f} s, where full scale is 1: "
                f"divide them by 32768 or save it as 16-bit PCM"
            )
        raise AudioError(
            f"{self.name} has samples that are not numbers (NaN or infinite) at {position:.1f} s: "
            f"export it again"
        )

    def _breaks_off(self, frames: int) -> bool:
        # Lossy formats state their length to within a packet or two.
        stated = (self.duration or 0.0) * float(self._sound.samplerate)
        if frames < stated * 0.99 - self._sound.samplerate * 0.1:
            return True
        log = self._sound.extra_info
        if cut := _CHUNK_CUT_OFF.search(log):
            return int(cut[2]) < int(cut[1]) < _STREAMED_SIZE
        if _PAGES_CUT_OFF.search(log):
            return True
        return frames < stated and self._sound.format == "FLAC"

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


def _at_end(file: IO[bytes]) -> bool:
    position = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    return position >= os.fstat(file.fileno()).st_size


def _open_sound(file: IO[bytes], name: str) -> soundfile.SoundFile:
    descriptor = file.fileno()
    if os.lseek(descriptor, 0, os.SEEK_END) == 0:
        raise AudioError(f"{name} is empty (0 bytes): record or copy it again")
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        sound = soundfile.SoundFile(descriptor, closefd=False)
    except soundfile.LibsndfileError as error:
        raise _cannot_open(name, error) from error
    problem = None
    if sound.frames == 0:
        problem = "has no audio in it, or is cut off: record or copy it again"
    elif sound.channels > MAX_CHANNELS:
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
    advice = "give WAV, FLAC, OGG or MP3, or convert it, for example with ffmpeg"
    if error.code == _UNRECOGNISED_FORMAT:
        return NotAudioError(f"{name} is not audio of a kind that can be read: {advice}")
    if error.code == _UNKNOWN_CODEC:
        return AudioError(f"{name} is cut off, or in an encoding that cannot be read: {advice}")
    return AudioError(f"{name} is cut off or damaged: record, export or copy it again")


def _resample(chunks: Iterator[NDArray[np.float32]], rate: int) -> Iterator[NDArray[np.float32]]:
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for chunk in chunks:
        yield stream.resample_chunk(chunk)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)
