"""Writes the manifest of a staged model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rtap import __version__
from rtap.whisper.model_directory import (
    MANIFEST_NAME,
    Elastic,
    FileRecord,
    Layout,
    Manifest,
    Precision,
    file_sha256,
)
from tools.export.graph_writer import OPSET
from tools.export.staging import StagedDirectory, storage_errors


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the maker of a model knows of it; see :class:`Manifest` for the fields."""

    name: str
    source: str
    layout: Layout
    precision: Precision
    elastic: Elastic
    parameters: int
    opset: int = OPSET
    quantization: Mapping[str, Any] = field(default_factory=dict)


CREATED_BY = f"rtap {__version__}"


def write_manifest(staged: StagedDirectory, facts: ModelFacts) -> Manifest:
    """Hash the staged files and write ``manifest.json`` beside them."""
    manifest = Manifest(
        **asdict(facts),
        created_by=CREATED_BY,
        files={
            file.name: FileRecord(file.stat().st_size, file_sha256(file)) for file in staged.files()
        },
    )
    store_manifest(staged.path, manifest)
    return manifest


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
