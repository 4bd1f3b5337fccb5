"""SHA256SUMS, as `sha256sum` writes and checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rtap.whisper.model_directory import file_sha256
from tools.system.signing.verification_error import NotVerifiableError, VerificationError

NAME: Final = "SHA256SUMS"
_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([^/\x00]+)")


def write_sums(folder: Path, names: list[str]) -> Path:
    """Write the file for some files of a folder, sorted."""
    file = folder / NAME
    file.write_text("".join(f"{file_sha256(folder / name)}  {name}\n" for name in sorted(names)))
    return file


def read_sums(folder: Path) -> dict[str, str]:
    """The digests by file name.

    Raises:
        NotVerifiableError: there is no such file.
        VerificationError: it is not of that form.
    """
    file = folder / NAME
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        raise NotVerifiableError(
            f"{file} is missing: fetch the whole release folder, or add --no-verify to go without"
        ) from None
    sums = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in sums:
            raise VerificationError(
                f"line {number} of {file} is no checksum of a file of its own: fetch the release again"
            )
        sums[match[2]] = match[1]
    return sums


def verify_file(file: Path, sums: Mapping[str, str]) -> None:
    """Compare a file with its line.

    Raises:
        NotVerifiableError: it has none.
        VerificationError: they differ, or the file is missing.
    """
    stated = sums.get(file.name)
    if stated is None:
        raise NotVerifiableError(
            f"{file.parent / NAME} has no line for {file.name}: take both from one release, "
            "or add --no-verify to go without"
        )
    if not file.is_file():
        raise VerificationError(f"{file} is missing: fetch the release again")
    if file_sha256(file) != stated:
        raise VerificationError(
            f"{file.name} is not the file that {NAME} describes (SHA-256 differs): it is damaged or was "
            "changed; fetch it again"
        )
