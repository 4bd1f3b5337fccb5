"""Whether an image may be written: its checksum and its maker's signature, before anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.system.signing.checksums import read_sums, verify_file
from tools.system.signing.signature import verify_signature
from tools.system.signing.verification_error import NotVerifiableError

Note = Callable[[str], None]


def verify(files: list[Path], key: str | None, *, is_required: bool, note: Note) -> list[str]:
    """Check files that lie in one folder.

    Args:
        key: see :func:`tools.system.signing.signature.verify_signature`.
        is_required: whether what is missing is an error; what is wrong always is.
        note: takes a sentence on each thing that could not be checked.

    Returns:
        What was checked.

    Raises:
        VerificationError: something is wrong, or missing though required.
    """
    folder = files[0].parent

    def signature() -> list[str]:
        return verify_signature(folder, key)

    def checksums() -> list[str]:
        sums = read_sums(folder)
        for file in files:
            verify_file(file, sums)
        return ["SHA-256"]

    checked: list[str] = []
    for check in (signature, checksums):
        try:
            checked += check()
        except NotVerifiableError as error:
            if is_required:
                raise
            note(f"not checked: {str(error).partition(':')[0]}")
    return checked
