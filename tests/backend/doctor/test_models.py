"""Models that work, are slow, damaged or missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtap.config import Config, LanguageConfig, SttConfig, WakeWordConfig
from rtap.doctor import models
from rtap.doctor.finding import Finding
from rtap.errors import ConfigurationError, ModelError, PipelineError
from rtap.events import Transcript
from rtap.stages.language import Annotator
from rtap.whisper.model_store import ModelStore
from tests.backend.doctor.made_machine import recognizer, with_model

CONFIG = Config()


@pytest.mark.usefixtures("_packages_load")
@pytest.mark.parametrize(("seconds", "verdict"), [(0.02, "ok"), (1.5, "warning")])
def test_model(seconds: float, verdict: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = recognizer(monkeypatch, seconds)
    finding = models.check_model(with_model(model))
    assert finding.verdict == verdict
    assert (
        f"whisper-base (int8, 0.0 MB), SHA-256 correct, a second of audio takes {seconds:.2f} s"
        in (finding.message)
    )
    assert called == ["start", "probe", "stop"]


@pytest.mark.usefixtures("_packages_load")
def test_model_that_does_not_infer(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = recognizer(monkeypatch, PipelineError("no speech model is loaded: mend it"))
    with pytest.raises(PipelineError, match="mend it"):
        models.check_model(with_model(model))
    assert called[-1] == "stop"
    recognizer(monkeypatch, TimeoutError())
    finding = models.check_model(with_model(model))
    assert (finding.verdict, "no inference in 120 s" in finding.message) == ("problem", True)


@pytest.mark.usefixtures("_packages_load")
def test_model_that_is_damaged_or_missing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer(monkeypatch, 0.1)
    config = model / "config.json"
    config.write_text(config.read_text().replace("whisper", "whimper"))
    with pytest.raises(ModelError, match="SHA-256"):
        models.check_model(with_model(model))
    with pytest.raises(ModelError, match="no model none"):
        models.check_model(with_model(model.parent / "none"))


@pytest.mark.usefixtures("_packages_load")
def test_the_model_that_was_chosen(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODEL_NAME", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    config = Config(models_dir=model.parent)
    assert models.configured_model(config).path.name == "cabin-en"
    ModelStore.from_environment(os.environ, model.parent).use("whisper-base")
    assert models.configured_model(config).path == model
    recognizer(monkeypatch, 0.1)
    assert models.check_model(config).message.startswith("whisper-base (int8, ")
    named = Config(stt=SttConfig(model_name="cabin-en"), models_dir=model.parent)
    assert models.configured_model(named).path.name == "cabin-en"


@pytest.mark.usefixtures("_packages_load")
def test_wake_word() -> None:
    assert models.check_wake_word(CONFIG) == Finding("ok", "hey_mycroft (microwakeword)")
    off = Config(wakeword=WakeWordConfig(enabled=False))
    assert models.check_wake_word(off).message.startswith("off")
    with pytest.raises(ConfigurationError, match="hey_computer"):
        models.check_wake_word(Config(wakeword=WakeWordConfig(keyword="hey_computer")))


@pytest.mark.usefixtures("_packages_load")
def test_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.check_language(CONFIG) == Finding("ok", "detection, sentiment")
    off = Config(language=LanguageConfig(detection=False, sentiment=False))
    assert models.check_language(off).message.startswith("off")

    def unchanged(self: Annotator, transcript: Transcript) -> Transcript:
        return transcript

    monkeypatch.setattr(Annotator, "annotate", unchanged)
    finding = models.check_language(CONFIG)
    assert finding.verdict == "warning"
    assert "language.detection and language.sentiment to false" in finding.fix
    only = models.check_language(Config(language=LanguageConfig(sentiment=False)))
    assert only.message.startswith("no detection, ")


@pytest.mark.slow
def test_a_real_model(quantized: Path) -> None:
    finding = models.check_model(with_model(quantized))
    assert finding.verdict in ("ok", "warning")
    assert "SHA-256 correct, a second of audio takes " in finding.message
