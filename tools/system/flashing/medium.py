"""What is written to: opened exclusively, past the kernel's cache where that is possible.

Past the cache, an error is reported where it happens, the rate shown is the medium's, and what is read
back comes from the medium.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError, RTAPException
from tools.console.quantities import position
from tools.system.disk_image.image_file import CHUNK_BYTES

_BLKFLSBUF: Final = 0x1261
"""Makes the kernel forget what it has cached of a block device."""
_ALIGNMENT: Final = 4096
"""What reading and writing past the cache wants of every size; no device has larger sectors."""
_OTHER_MEDIUM: Final = "nothing on it can be relied on; try another card, then another reader"


class MediumError(RTAPException):
    """A card or stick does not do what it should."""

    exit_status = 2


class Medium:
    """An open device or file."""

    def __init__(self, path: Path, *, is_block: bool, writable: bool = True) -> None:
        """Open it.

        Raises:
            ConfigurationError: it may not be written, or something else uses it.
        """
        self.path = path
        self._is_block = is_block
        flags = os.O_CLOEXEC | (os.O_RDWR if writable else os.O_RDONLY)
        if is_block and writable:
            flags |= os.O_EXCL  # fails when it is mounted, swapped to, or part of something larger
        self._descriptor, self._is_direct = self._open(flags)
        self._buffer = mmap.mmap(-1, CHUNK_BYTES)  # aligned to a page
        self.bytes = os.lseek(self._descriptor, 0, os.SEEK_END)

    def _open(self, flags: int) -> tuple[int, bool]:
        try:
            try:
                return os.open(self.path, flags | os.O_DIRECT), True
            except OSError as error:
                if error.errno != errno.EINVAL:  # a file system that cannot do without its cache
                    raise
                return os.open(self.path, flags), False
        except PermissionError as error:
            raise ConfigurationError(
                f"{self.path} may not be opened ({error.strerror}): run it with sudo"
            ) from error
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise ConfigurationError(
                    f"{self.path} is in use: unmount all of it, close what uses it, and try again"
                ) from error
            raise MediumError(
                f"{self.path} cannot be opened ({error.strerror}): take the card out and put it in again"
            ) from error

    def write(self, start: int, data: bytes) -> None:
        """Write at most ``CHUNK_BYTES``.

        Raises:
            MediumError: the medium does not take them.
        """
        self._buffer[: len(data)] = data
        done = 0
        with self._cached_where_unaligned(len(data)), memoryview(self._buffer) as view:
            while done < len(data):
                try:
                    count = os.pwrite(self._descriptor, view[done : len(data)], start + done)
                except OSError as error:
                    raise self._failed("written", start + done, start + len(data), error) from error
                done += count

    def read(self, start: int, length: int) -> bytes:
        """Read at most ``CHUNK_BYTES``.

        Raises:
            MediumError: the medium does not give them.
        """
        whole = -(-length // _ALIGNMENT) * _ALIGNMENT
        done = 0
        with memoryview(self._buffer) as view:
            while done < length:
                try:
                    count = os.preadv(self._descriptor, [view[done:whole]], start + done)
                except OSError as error:
                    raise self._failed("read", start + done, start + length, error) from error
                if not count:
                    raise MediumError(
                        f"{self.path} ends at {position(start + done)} though it says that it is larger: "
                        f"{_OTHER_MEDIUM}"
                    )
                done += count
        return self._buffer[:length]

    def resize(self, length: int) -> None:
        """Give an ordinary file that length; the new part is zeros.

        Raises:
            MediumError: the file system refuses.
        """
        try:
            os.ftruncate(self._descriptor, length)
        except OSError as error:
            raise self._failed("resized", self.bytes, length, error) from error
        self.bytes = length

    def settle(self) -> None:
        """Wait until all is on the medium, and forget what is cached of it.

        Raises:
            MediumError: something could not be written.
        """
        try:
            os.fsync(self._descriptor)
            if self._is_block:
                fcntl.ioctl(self._descriptor, _BLKFLSBUF)
            else:
                os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except PermissionError:
            pass  # forgetting takes root; what was opened past the cache has nothing there
        except OSError as error:
            raise MediumError(
                f"{self.path} lost what was written ({error.strerror}): {_OTHER_MEDIUM}"
            ) from error

    def close(self) -> None:
        """Let others at it."""
        os.close(self._descriptor)
        self._buffer.close()

    @contextmanager
    def _cached_where_unaligned(self, length: int) -> Iterator[None]:
        """The end of an image may be no whole number of blocks."""
        if not self._is_direct or length % _ALIGNMENT == 0:
            yield
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags & ~os.O_DIRECT)
        try:
            yield
        finally:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags)

    def _failed(self, what: str, start: int, end: int, error: OSError) -> MediumError:
        # A device may report one error for all that it was given at a time.
        where = f"between {position(start)} and {position(end)} ({error.strerror})"
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} and not self._is_block:
            advice = "free some space or choose another place; the file cannot be used"
        else:
            advice = _OTHER_MEDIUM
        return MediumError(f"{self.path} could not be {what} {where}: {advice}")


@contextmanager
def opened(path: Path, *, is_block: bool, writable: bool = True) -> Iterator[Medium]:
    """A medium, closed afterwards."""
    medium = Medium(path, is_block=is_block, writable=writable)
    try:
        yield medium
    finally:
        medium.close()
