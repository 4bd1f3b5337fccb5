"""Everything that a release is made of, in small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.tools.system.disk_image.sample_image import Sample

PREFIX = "core-image-base-raspberrypi4-64.rootfs"


def description(version: str = "1.0.0") -> dict[str, Any]:
    return {
        "image_id": "sha256:" + "a" * 64,
        "tags": [f"whisper-backend:{version}"],
        "architecture": "arm64",
        "archive": "whisper-backend.tar",
        "archive_sha256": "b" * 64,
        "archive_bytes": 1234,
        "created": "2026-11-21T10:15:00Z",
        "revision": "c" * 40,
        "versions": {"rtap": version},
        "model": {"name": "cabin-en", "precision": "int8", "bytes": 7},
    }


def fill_container(folder: Path, version: str = "1.0.0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "whisper-backend.json").write_text(json.dumps(description(version)))
    (folder / "whisper-backend.spdx.json").write_text("{}")
    (folder / "whisper-backend.tar.sha256").write_text(f"{'b' * 64}  whisper-backend.tar\n")
    return folder


def fill_deploy(folder: Path, sample: Sample, **variables: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(sample.compressed, folder / f"{PREFIX}.wic.bz2")
    shutil.copy(sample.bmap, folder / f"{PREFIX}.wic.bmap")
    (folder / f"{PREFIX}.spdx.tar.zst").write_bytes(b"spdx")
    stated = {
        "VOICE_ASSISTANT_VERSION": "1.0.0",
        "VOICE_ASSISTANT_BUILD_ID": "7",
        "DISTRO_CODENAME": "scarthgap",
    }
    (folder / f"{PREFIX}.testdata.json").write_text(json.dumps(stated | variables))
    return folder
