"""Another version of the service's container: the same files under another identity."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any


def with_another_identity(container: Path, target: Path) -> Path:
    """Copy what ``tools/build_container`` wrote, with a label more, which makes it another image.

    Returns:
        The target folder.
    """
    target.mkdir()
    archive = target / "whisper-backend.tar"
    with tarfile.open(container / "whisper-backend.tar") as old, tarfile.open(archive, "w") as new:
        manifest = _json(old, "manifest.json")
        config = _json(old, manifest[0]["Config"])
        config["config"].setdefault("Labels", {})["update"] = "yes"
        written = json.dumps(config).encode()
        name = f"{hashlib.sha256(written).hexdigest()}.json"
        for member in old:
            if member.name not in ("manifest.json", "repositories", manifest[0]["Config"]):
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
        manifest[0]["Config"] = name
        for path, content in ((name, written), ("manifest.json", json.dumps(manifest).encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    with archive.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    (target / "whisper-backend.tar.sha256").write_text(f"{checksum}  {archive.name}\n")
    return target


def _json(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    assert member is not None
    return json.load(member)
