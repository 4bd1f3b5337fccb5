"""What `tools/build_container` leaves beside the container that the image has inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAME: Final = "whisper-backend"
DESCRIPTION: Final = f"{NAME}.json"
BILL: Final = f"{NAME}.spdx.json"
_KEPT: Final = (
    "image_id",
    "tags",
    "architecture",
    "archive_sha256",
    "archive_bytes",
    "created",
    "revision",
    "model",
)


@dataclass(frozen=True, slots=True)
class ContainerParts:
    """The container's description and bill of materials."""

    folder: Path

    def faults(self, version: str) -> list[str]:
        """What is missing or belongs to something else, and how to get it."""
        way = "`make container`, or say where it is with --container"
        missing = [name for name in (DESCRIPTION, BILL) if not (self.folder / name).is_file()]
        if missing:
            return [f"{name} in {self.folder}: {way}" for name in missing]
        description = self.description()
        found = []
        if (built := description["versions"]["rtap"]) != version:
            found.append(f"a container of version {version}, as {DESCRIPTION} is of {built}: {way}")
        sums = self.folder / f"{NAME}.tar.sha256"
        if sums.is_file() and sums.read_text().split()[0] != description["archive_sha256"]:
            found.append(f"a {DESCRIPTION} of the archive beside it (SHA-256 differs): {way}")
        return found

    def description(self) -> dict[str, Any]:
        """All that the build said."""
        described: dict[str, Any] = json.loads((self.folder / DESCRIPTION).read_text())
        return described

    def digest(self) -> dict[str, Any]:
        """What a receiver compares with the device: image ID, archive, origin, model."""
        description = self.description()
        return {name: description[name] for name in _KEPT}
