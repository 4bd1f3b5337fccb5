"""A docker-archive of a few kilobytes, in the form of ``tools/build_container``'s."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

NAME = "whisper-backend.tar"


def write_sample(folder: Path, *, architecture: str = "arm64") -> Path:
    """Write ``whisper-backend.tar`` and its checksum.

    Returns:
        The archive.
    """
    layer = _archive({"app/hello": b"hello\n"})
    configuration = {
        "architecture": architecture,
        "os": "linux",
        "config": {"User": "10001:10001", "Entrypoint": ["/app/hello"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    written = json.dumps(configuration).encode()
    name = f"{hashlib.sha256(written).hexdigest()}.json"
    tags = ["whisper-backend:latest"]
    manifest = [{"Config": name, "RepoTags": tags, "Layers": ["layer/layer.tar"]}]
    archive = _archive(
        {
            "manifest.json": json.dumps(manifest).encode(),
            name: written,
            "layer/layer.tar": layer,
        }
    )
    path = folder / NAME
    path.write_bytes(archive)
    checksum = hashlib.sha256(archive).hexdigest()
    path.with_name(f"{NAME}.sha256").write_text(f"{checksum}  {NAME}\n")
    return path


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
