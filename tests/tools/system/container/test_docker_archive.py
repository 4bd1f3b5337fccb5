"""The archive: what `docker load` looks for, and nothing that changes by itself."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from tools.system.container.docker_archive import write_archive
from tools.system.container.layers import Layer

CONFIG: dict[str, Any] = {"os": "linux", "architecture": "arm64"}


def contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {
            entry.name: stream.read() for entry in archive if (stream := archive.extractfile(entry))
        }


def test_manifest_leads_to_everything(tmp_path: Path, layers: list[Layer]) -> None:
    image_id = write_archive(CONFIG, layers, ["thing:latest"], tmp_path / "image.tar")
    files = contents(tmp_path / "image.tar")
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["thing:latest"]
    assert [files[name] for name in manifest["Layers"]] == [b"one", b"two"]
    assert json.loads(files[manifest["Config"]]) == CONFIG
    assert image_id == "sha256:" + hashlib.sha256(files[manifest["Config"]]).hexdigest()
    assert manifest["Config"] == image_id.removeprefix("sha256:") + ".json"


def test_manifest_comes_first(tmp_path: Path, layers: list[Layer]) -> None:
    write_archive(CONFIG, layers, ["thing:latest"], tmp_path / "image.tar")
    assert next(iter(contents(tmp_path / "image.tar"))) == "manifest.json"


def test_same_image_same_bytes(tmp_path: Path, layers: list[Layer]) -> None:
    reordered = dict(reversed(CONFIG.items()))
    for name, config in (("a", CONFIG), ("b", reordered)):
        write_archive(config, layers, ["thing:latest"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
