from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.commands import train_cabin_model
from tools.model.cabin import recipe


def test_export_without_a_checkpoint_names_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "_TOKENIZER_LINES", 50)
    monkeypatch.setattr(recipe, "pronounce", lambda words: dict.fromkeys(words, ("a",)))
    with pytest.raises(ConfigurationError, match="run `tools/train_cabin_model train`"):
        train_cabin_model.main(["export", "--work", str(tmp_path)])


def test_training_without_speech_names_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "_TOKENIZER_LINES", 50)
    monkeypatch.setattr(recipe, "pronounce", lambda words: dict.fromkeys(words, ("a",)))
    with pytest.raises(ConfigurationError, match="has no speech: run tools/train_cabin_model"):
        train_cabin_model.main(["train", "--work", str(tmp_path), "--processes", "1"])


def test_installing_leaves_the_model_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, bundled = tmp_path / "cabin-en", tmp_path / "bundled"
    for place, name in ((made, "encoder.onnx"), (bundled, "old.onnx"), (bundled, "README.md")):
        place.mkdir(exist_ok=True)
        (place / name).write_text(name)
    monkeypatch.setattr(train_cabin_model, "BUNDLED", bundled)
    train_cabin_model.install(made)
    assert sorted(file.name for file in bundled.iterdir()) == ["README.md", "encoder.onnx"]


def test_an_unknown_step_lists_the_steps() -> None:
    with pytest.raises(ConfigurationError, match="speech"):
        train_cabin_model.main(["everything"])
