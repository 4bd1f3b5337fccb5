"""Writes the file that `docker load` reads, in the format of `docker save`; podman and skopeo read it too."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.system.container.layers import FILE_TIME, Layer


def write_archive(
    config: Mapping[str, Any], layers: Sequence[Layer], tags: Sequence[str], file: Path
) -> str:
    """Write an archive whose bytes depend on nothing but the arguments.

    Args:
        tags: names of the image, ``whisper-backend:latest``.

    Returns:
        The image's ID, ``sha256:...``.
    """
    config_text = _json(config)
    image_id = hashlib.sha256(config_text).hexdigest()
    names = [f"{layer.digest}.tar" for layer in layers]
    manifest = [{"Config": f"{image_id}.json", "RepoTags": list(tags), "Layers": names}]
    with tarfile.open(file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        # The manifest first: a reader of a stream then knows what is coming.
        _add(archive, "manifest.json", _json(manifest))
        _add(archive, f"{image_id}.json", config_text)
        for name, layer in zip(names, layers, strict=True):
            entry = _entry(name, layer.bytes)
            with layer.file.open("rb") as content:
                archive.addfile(entry, content)
    return f"sha256:{image_id}"


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, FILE_TIME, 0o644
    return entry
