"""Writes the manifest of a staged model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtap import __version__
from rtap.whisper.model_directory import (
    MANIFEST_NAME,
    FileRecord,
    Manifest,
    file_sha256,
)
from tools.model.conversion.staging import StagedDirectory, storage_errors

CREATED_BY = f"rtap {__version__}"


def write_manifest(staged: StagedDirectory, manifest: Manifest) -> Manifest:
    """Hash the staged files and write ``manifest.json`` with them; whatever files it named before go."""
    files = file_records(staged.files())
    manifest = dataclasses.replace(manifest, created_by=CREATED_BY, files=files)
    store_manifest(staged.path, manifest)
    return manifest


def file_records(files: Iterable[Path]) -> dict[str, FileRecord]:
    """Sizes and hashes by name, as a manifest lists them; reads all of them."""
    return {file.name: FileRecord(file.stat().st_size, file_sha256(file)) for file in files}


def store_manifest(directory: Path, manifest: Manifest) -> None:
    """Write a manifest; a reader sees the old one or the new one."""
    path = directory / MANIFEST_NAME
    scratch = path.with_name(path.name + ".new")
    with storage_errors(path):
        scratch.write_text(manifest.to_json(), encoding="utf-8")
        scratch.replace(path)


def with_parity(manifest: Manifest, parity: Mapping[str, Any]) -> Manifest:
    """The same manifest with other parity figures."""
    return dataclasses.replace(manifest, parity=parity)
