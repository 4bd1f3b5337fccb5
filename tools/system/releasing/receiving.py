"""Checks a release folder as the one does who receives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rtap.errors import ConfigurationError
from tools.console.progress import progress
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import ImageFile
from tools.system.releasing import manifest
from tools.system.releasing.container_parts import DESCRIPTION
from tools.system.signing import checksums
from tools.system.signing.signature import find_signatures, verify_signature
from tools.system.signing.verification_error import VerificationError


def check_release(folder: Path, key: str | None, *, is_signature_required: bool) -> dict[str, Any]:
    """Verify signature, checksums, manifest, and that block map and image belong together.

    Returns:
        The manifest, and what was checked under "checked".

    Raises:
        ConfigurationError: there is no such folder.
        VerificationError: something is wrong or missing.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is no folder: name a release, such as build/release/NAME"
        )
    checked: list[str] = []
    if is_signature_required or find_signatures(folder):
        checked += verify_signature(folder, key)
    sums = checksums.read_sums(folder)
    _verify_completeness(folder, sums)
    for name in sums:
        checksums.verify_file(folder / name, sums)
    content = manifest.read_manifest(folder)
    _verify_manifest(folder, content, sums)
    image, bmap = _file_for(content, "image"), _file_for(content, "block map")
    verify_pair(folder / image, folder / bmap)
    return content | {"checked": [*checked, "SHA-256", "manifest", "block map"]}


def verify_pair(image: Path, bmap: Path) -> None:
    """Read the whole image and compare it with its block map.

    Raises:
        ConfigurationError, DamagedImageError: they do not belong together, or one is damaged.
    """
    blocks = Bmap.parse(bmap.read_bytes(), bmap.name)
    with progress(
        f"comparing {image.name} with its block map", blocks.mapped_bytes, "release"
    ) as advance:
        for chunk in ImageFile(image).mapped_chunks(blocks):
            advance(len(chunk.data))


def _verify_completeness(folder: Path, sums: dict[str, str]) -> None:
    known = {checksums.NAME, *sums, *(file.name for file in find_signatures(folder))}
    extra = sorted(path.name for path in folder.iterdir() if path.name not in known)
    if extra:
        raise VerificationError(
            f"{extra[0]} is not named in {checksums.NAME}, so nobody vouches for it: remove it"
        )


def _verify_manifest(folder: Path, content: dict[str, Any], sums: dict[str, str]) -> None:
    stated = {file["name"]: (file["bytes"], file["sha256"]) for file in content["files"]}
    found = {
        name: ((folder / name).stat().st_size, digest)
        for name, digest in sums.items()
        if name != manifest.NAME
    }
    different = sorted(
        name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name)
    )
    if different:
        raise VerificationError(
            f"{manifest.NAME} and {checksums.NAME} disagree on {different[0]}: fetch the whole release again"
        )
    description = json.loads((folder / DESCRIPTION).read_text())
    if description["image_id"] != content["container"]["image_id"]:
        raise VerificationError(
            f"{manifest.NAME} and {DESCRIPTION} name different containers: fetch the whole release again"
        )


def _file_for(content: dict[str, Any], purpose: str) -> str:
    names = [str(file["name"]) for file in content["files"] if file["purpose"] == purpose]
    if len(names) != 1:
        raise VerificationError(
            f"{manifest.NAME} names {len(names)} files as {purpose}: fetch the whole release again"
        )
    return names[0]
