"""manifest.json of a release: what it is made of and from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtap.whisper.model_directory import file_sha256
from tools.system.signing.verification_error import VerificationError

NAME: Final = "manifest.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release comes from."""

    version: str
    machine: str
    yocto: str | None
    """Code name of the Yocto release."""
    build_id: str | None
    commit: str
    container: Mapping[str, Any]


def write_manifest(folder: Path, origin: Origin, purposes: Mapping[str, str]) -> None:
    """Write it for the files of a folder.

    Args:
        purposes: of each file, by name.
    """
    content = {
        "format": _FORMAT,
        "product": "voice-assistant",
        "version": origin.version,
        "machine": origin.machine,
        "yocto": origin.yocto,
        "build_id": origin.build_id,
        "commit": origin.commit,
        "container": dict(origin.container),
        "files": [
            {
                "name": name,
                "purpose": purposes[name],
                "bytes": (folder / name).stat().st_size,
                "sha256": file_sha256(folder / name),
            }
            for name in sorted(purposes)
        ],
    }
    (folder / NAME).write_text(json.dumps(content, indent=2) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises: VerificationError: it is not of this form."""
    try:
        content: dict[str, Any] = json.loads((folder / NAME).read_text())
        is_known = content["format"] == _FORMAT
        if is_known:
            _ = (content["version"], content["machine"], content["container"]["image_id"])
            for file in content["files"]:
                _ = (file["name"], file["purpose"], file["bytes"], file["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VerificationError(
            f"{folder / NAME} is missing or damaged ({type(error).__name__}): fetch the whole release again"
        ) from error
    if not is_known:
        raise VerificationError(
            f"{folder / NAME} has the format {content['format']}: check it with that release's own tools"
        )
    return content
