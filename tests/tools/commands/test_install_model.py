"""make model: what is made, what is kept, and what is made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from rtap.errors import ModelError
from rtap.whisper.model_directory import MANIFEST_NAME, ModelDirectory, Precision, file_sha256
from rtap.whisper.model_store import ModelStore
from tests.tools.conftest import Start
from tests.tools.model.conversion.ctranslate2_files import tiny_ctranslate2
from tools.commands import install_model
from tools.model.conversion import installed_model
from tools.model.conversion.adapter import write_adapter
from tools.model.conversion.installed_model import ensure_model
from tools.model.conversion.sources import open_checkpoint


class Places(NamedTuple):
    source: Path
    models: Path
    adapters: Path

    def ensure(self, precision: Precision = "int8") -> tuple[ModelDirectory, list[str]]:
        """The model, and the steps that it took."""
        steps: list[str] = []
        path = ensure_model(
            str(self.source),
            precision,
            models=self.models,
            adapters=self.adapters,
            on_progress=steps.append,
        )
        return ModelDirectory.open(path), steps

    def add_adapter(self, margin: str = "0.5") -> Path:
        checkpoint = open_checkpoint(str(self.source))
        name = "encoder.layer_norm.bias"
        path = self.adapters / "whisper-tiniest.safetensors"
        write_adapter(
            path,
            {f"{name}.delta": np.full(checkpoint.shapes()[name], 0.1, np.float32)},
            {
                "checkpoint": checkpoint.digest,
                "source": str(self.source),
                "elastic": "native",
                "margin": margin,
            },
        )
        return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    tiny_ctranslate2(tmp_path / "whisper-tiniest")
    return Places(tmp_path / "whisper-tiniest", tmp_path / "models", tmp_path / "adapters")


def test_only_what_was_asked_for_is_kept(places: Places) -> None:
    directory, steps = places.ensure()
    assert directory.path == places.models / "whisper-tiniest-int8"
    assert (directory.manifest.precision, directory.manifest.elastic) == ("int8", "guarded")
    assert "encoder" in steps
    assert [path.name for path in places.models.iterdir()] == ["whisper-tiniest-int8"]


def test_what_is_there_is_kept(places: Places) -> None:
    made, _ = places.ensure()
    before = (made.path / MANIFEST_NAME).stat()
    again, steps = places.ensure()
    assert (again, steps) == (made, [])
    assert (made.path / MANIFEST_NAME).stat() == before


def test_an_fp32_model_serves_for_all_others(places: Places) -> None:
    places.ensure("fp32")
    assert "decoder" not in places.ensure("w8")[1]
    assert places.ensure("fp32")[1] == []


def test_goes_on_with_what_a_killed_run_converted(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(installed_model, "quantize", kill)
        with pytest.raises(KeyboardInterrupt):
            places.ensure()
    store = ModelStore.from_environment({"MODELS_DIR": str(places.models)})
    assert all(model.bundled for model in store.list_models())
    assert "decoder" not in places.ensure()[1]
    assert [path.name for path in places.models.iterdir()] == ["whisper-tiniest-int8"]


def test_fp32(places: Places) -> None:
    directory, _ = places.ensure("fp32")
    assert directory.path == places.models / "whisper-tiniest"


def test_an_adapter_that_is_new_makes_the_model_again(places: Places) -> None:
    assert places.ensure()[0].manifest.adapter == {}
    for margin in ("0.5", "0.75"):
        path = places.add_adapter(margin)
        manifest = places.ensure()[0].manifest
        assert (manifest.elastic, manifest.margin_seconds) == ("native", float(margin))
        assert manifest.adapter["sha256"] == file_sha256(path)
        assert places.ensure()[1] == []


def test_a_damaged_model_is_made_again(places: Places) -> None:
    directory, _ = places.ensure()
    (directory.path / "decoder.onnx").unlink()
    again, steps = places.ensure()
    assert steps
    again.verify()


def test_a_source_that_is_not_there(places: Places) -> None:
    with pytest.raises(ModelError, match="no checkpoint directory at"):
        ensure_model("/nowhere/whisper", models=places.models)
    assert not places.models.exists()


def test_command_line(
    places: Places, start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(places.models))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("MODEL_NAME", raising=False)
    done = start(install_model.main, places.source)
    assert (done.status, done.complaints) == (0, [])
    assert done.out.startswith("using whisper-tiniest-int8 (")
    chosen = json.loads((tmp_path / "config/rtap/model.json").read_text())
    assert chosen == {"model": "whisper-tiniest-int8"}
    assert ModelStore.from_environment({"MODELS_DIR": str(places.models)}).list_models()


@pytest.mark.parametrize("arguments", [[], ["a", "int7"], ["a", "int8", "b"]])
def test_mistyped(arguments: list[str], start: Start) -> None:
    done = start(install_model.main, *arguments)
    assert done.status == 2
    assert "tools/install_model --help" in done.err
