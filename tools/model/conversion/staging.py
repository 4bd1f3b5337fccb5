"""Makes a directory appear whole or not at all, and lets a killed run go on where it stopped."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from rtap.errors import ConfigurationError, StorageError
from rtap.whisper.model_directory import MANIFEST_NAME

_STATE_NAME = ".steps.json"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)


class StagedDirectory:
    """A directory under construction, beside the place where it will stand.

    Work is done in named steps. A step writes into a scratch directory whose files are moved over when it
    ends, so a step either counts or leaves nothing. Steps done by an earlier run with the same fingerprint
    are skipped. :meth:`commit` moves the directory into place.
    """

    def __init__(self, output: Path, fingerprint: str, *, replace: bool) -> None:
        """Open or resume.

        Args:
            output: the directory to be.
            fingerprint: changes whenever the inputs do; work staged under another one is thrown away.
            replace: whether an existing output may be replaced.

        Raises:
            ConfigurationError: output exists already.
            StorageError: not writable, or another run is at it.
        """
        # Resolved, because "." and ".." have no name to put a suffix to.
        self.output = output = output.resolve()
        # Hidden, because a model store takes every other directory with a manifest for a model.
        self.path = output.parent / f".{output.name}.partial"
        self._replaced = output.parent / f".{output.name}.replaced"
        self._scratch = self.path / ".scratch"
        with storage_errors(output):
            if not self._replaced.exists():
                self._check_output(replace=replace)
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = self._acquire_lock()
            try:
                self._restore_output()
                self._check_output(replace=replace)
                self._done = self._resume(fingerprint)
            except BaseException:
                with suppress(OSError):  # not empty: an earlier run's work, which is kept
                    self.path.rmdir()
                self.close()
                raise

    def _check_output(self, *, replace: bool) -> None:
        if not self.output.exists():
            return
        if not replace:
            raise ConfigurationError(f"{self.output} exists already: add --force to replace it")
        if not (self.output / MANIFEST_NAME).is_file():
            raise ConfigurationError(
                f"{self.output} is not a model directory, so --force does not replace it: "
                f"choose another place"
            )

    def _restore_output(self) -> None:
        """Mend what a run left that was killed in the middle of a replacement."""
        if not self._replaced.exists():
            return
        if self.output.exists():
            shutil.rmtree(self._replaced)
        else:
            self._replaced.rename(self.output)

    def _acquire_lock(self) -> int:
        """Lock the directory itself: the lock dies with the process and leaves no file behind."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A run that just ended may have moved away the directory that was opened here.
            if os.fstat(descriptor).st_ino == self.path.stat().st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        raise StorageError(f"another run is writing {self.output}: wait for it to end")

    def _resume(self, fingerprint: str) -> list[str]:
        self._fingerprint = fingerprint
        try:
            state = json.loads((self.path / _STATE_NAME).read_text(encoding="utf-8"))
            if state["fingerprint"] == fingerprint:
                return [str(step) for step in state["steps"]]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        for stale in self.path.iterdir():
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        return []

    def step(self, name: str, work: Callable[[Path], None]) -> bool:
        """Run ``work(scratch directory)`` unless an earlier run did this step; True when it ran.

        Raises:
            StorageError: the disk is full or the directory cannot be written.
        """
        if name in self._done:
            return False
        with storage_errors(self.output):
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
            try:
                work(self._scratch)
                for made in self._scratch.iterdir():
                    # Before the step counts as done: a power cut must not leave an empty file that does.
                    _sync(made)
                    made.chmod(_readable_mode())
                    made.replace(self.path / made.name)
            finally:
                shutil.rmtree(self._scratch, ignore_errors=True)
            self._done.append(name)
            state = {"fingerprint": self._fingerprint, "steps": self._done}
            (self.path / _STATE_NAME).write_text(json.dumps(state), encoding="utf-8")
        return True

    def files(self) -> list[Path]:
        """The files made so far, without the state of the staging itself and without the manifest."""
        return sorted(
            file
            for file in self.path.iterdir()
            if file.name not in (_STATE_NAME, MANIFEST_NAME) and file.is_file()
        )

    def commit(self) -> None:
        """Put the directory in place; one that stood there goes only once the new one is complete."""
        with storage_errors(self.output):
            (self.path / _STATE_NAME).unlink(missing_ok=True)
            for file in self.path.iterdir():
                _sync(file)
            shutil.rmtree(self._replaced, ignore_errors=True)
            if self.output.exists():
                self.output.rename(self._replaced)
            self.path.rename(self.output)
            _sync(self.output.parent)
            shutil.rmtree(self._replaced, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let others at the output; staged steps stay for the next run unless committed."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _readable_mode() -> int:
    """What ``open`` would give: some libraries write files that only their owner may read."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _sync(path: Path) -> None:
    """A rename may reach the disk before the data does; a power cut would then leave empty files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(where: Path) -> Iterator[None]:
    """Turn the file system's refusals into StorageError with the mend in it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _disk_full(where) from error
        if error.errno in _REFUSED:
            raise StorageError(
                f"{where} cannot be written ({error.strerror}): choose another place"
            ) from error
        raise
    except Exception as error:
        # Libraries in Rust or C++ raise no OSError, but have the system's text somewhere in their message.
        if os.strerror(errno.ENOSPC) in str(error):
            raise _disk_full(where) from error
        raise


def _disk_full(where: Path) -> StorageError:
    return StorageError(
        f"the disk is full: free some space or choose another place than {where.parent}, "
        f"then run the same command again; finished parts are kept"
    )
