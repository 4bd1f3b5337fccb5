"""rtap.whisper.model_directory: what the manifest says of an adapter, and manifests from before any."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rtap.errors import ModelError
from rtap.whisper.model_directory import Manifest, ModelDirectory
from tests.backend.model_directories import make_model


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return ModelDirectory.open(make_model(tmp_path / "model")).manifest


def test_is_read_back(manifest: Manifest) -> None:
    adapted = replace(
        manifest,
        elastic="native",
        margin_seconds=0.75,
        adapter={"name": "whisper-base", "sha256": "0" * 64, "record": {"steps": 7}},
    )
    assert Manifest.from_json(adapted.to_json(), Path("manifest.json")) == adapted


def test_older_ones_have_no_margin_and_no_adapter(manifest: Manifest) -> None:
    document = json.loads(manifest.to_json())
    del document["margin_seconds"], document["adapter"]
    read = Manifest.from_json(json.dumps(document), Path("manifest.json"))
    assert (read.margin_seconds, read.adapter) == (0.0, {})


@pytest.mark.parametrize("margin", ["NaN", "-1", "31", '"long"', "null"])
def test_a_margin_that_cannot_be(margin: str, manifest: Manifest) -> None:
    text = manifest.to_json().replace('"margin_seconds": 0.0', f'"margin_seconds": {margin}')
    assert text != manifest.to_json()
    with pytest.raises(ModelError, match="damaged"):
        Manifest.from_json(text, Path("manifest.json"))
