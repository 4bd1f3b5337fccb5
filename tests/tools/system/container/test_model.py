"""The model that goes into the container."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rtap.errors import ModelError
from rtap.whisper.model_directory import ModelDirectory
from tools.root import ROOT
from tools.system.container.model import copy_model, open_model

BUNDLED = ROOT / "backend/rtap/models/cabin-en"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return shutil.copytree(BUNDLED, tmp_path / "model")


def rename(model: Path, name: str) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    (model / "manifest.json").write_text(json.dumps(manifest | {"name": name}))


def test_bundled() -> None:
    assert open_model(ROOT, None).path == BUNDLED


def test_chosen_is_copied_under_its_own_name(model: Path, tmp_path: Path) -> None:
    rename(model, "whisper-base")
    (model / "notes.txt").write_text("not in the manifest")
    copy_model(open_model(ROOT, model), tmp_path / "models")
    copy = ModelDirectory.open(tmp_path / "models/whisper-base")
    copy.verify()
    assert {path.name for path in copy.path.iterdir()} == {"manifest.json", *copy.manifest.files}


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no manifest.json.*run tools/convert_whisper"):
        open_model(ROOT, tmp_path)


def test_damaged(model: Path) -> None:
    weights = model / "encoder.onnx.data"
    weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(ModelError, match=r"encoder.onnx.data is damaged"):
        open_model(ROOT, model)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "-x"])
def test_name_that_is_no_folder(model: Path, name: str) -> None:
    rename(model, name)
    with pytest.raises(ModelError, match="convert it again with a name of letters"):
        open_model(ROOT, model)
