"""Turns a folder into a layer of an image: the same bytes wherever and whenever it is made."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from tools.system.container.root_files import CACHE, USER_ID

FILE_TIME: Final = 315_532_800
"""1980, on every file: a layer whose content stays the same stays the same, whatever commit it is of."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer."""

    name: str
    """What it holds, for people."""
    digest: str
    """SHA-256 of the file, which is also its content's, as it is not compressed."""
    bytes: int
    file: Path


class _HashedFile:
    """A file that is written once, from beginning to end, and hashed on the way."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    def finish(self) -> str:
        self._file.close()
        return self._hash.hexdigest()


def write_layer(name: str, root: Path, file: Path) -> Layer:
    """Pack ``root``: sorted, owned by root but for the cache, without anything of this machine."""
    out = _HashedFile(file)
    # The stream mode asks for nothing but write(), whatever the type says.
    with tarfile.open(fileobj=cast("IO[bytes]", out), mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in _sorted_paths(root):
            entry = _entry(path, path.relative_to(root).as_posix())
            if entry.isreg():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
    return Layer(name, out.finish(), out.bytes, file)


def _sorted_paths(folder: Path) -> Iterator[Path]:
    """Every path below a folder; each folder comes before what is in it."""
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _sorted_paths(path)


def _entry(path: Path, name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime = FILE_TIME
    status = path.lstat()
    if path.is_symlink():
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
    elif path.is_dir():
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o1777 if status.st_mode & 0o1000 else 0o755
    else:
        entry.size = status.st_size
        # Neither the umask of who builds it nor set-user-id bits get in.
        entry.mode = 0o755 if status.st_mode & 0o100 else 0o644
    if name == CACHE or name.startswith(f"{CACHE}/"):
        entry.uid = entry.gid = USER_ID
    return entry
