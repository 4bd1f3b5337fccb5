"""A model whose files are compared with the manifest while it loads, or beside its first inference."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import rtap
from rtap.errors import ModelError
from rtap.whisper.model import GenerationRules, load_model
from rtap.whisper.model_directory import ModelDirectory, file_sha256
from rtap.whisper.transcribe import TranscribeOptions, Transcriber

BUNDLED = Path(rtap.__file__).parent / "models" / "cabin-en"
AUDIO = Path(__file__).parents[2] / "audio"
SILENCE = np.zeros(16_000, np.float32)
OPTIONS = TranscribeOptions(language="en")


@pytest.fixture
def damaged(tmp_path: Path) -> ModelDirectory:
    """One bit of one weight is another: it loads, and answers."""
    place = tmp_path / "damaged"
    shutil.copytree(BUNDLED, place)
    file = place / "encoder.onnx.data"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return ModelDirectory.open(place)


def test_damage_is_found_while_it_loads(damaged: ModelDirectory) -> None:
    with pytest.raises(ModelError, match=r"encoder\.onnx\.data is damaged"):
        load_model(damaged, 1)


def test_damage_is_found_before_there_is_a_text(damaged: ModelDirectory) -> None:
    transcriber = Transcriber(load_model(damaged, 1, wait=False), None)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"encoder\.onnx\.data is damaged"):
            transcriber.transcribe((SILENCE,), OPTIONS)


def test_the_answer_waits_for_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    verify = ModelDirectory.verify

    def slowly(directory: ModelDirectory) -> None:
        assert go_on.wait(10)
        verify(directory)

    monkeypatch.setattr(ModelDirectory, "verify", slowly)
    model = load_model(ModelDirectory.open(BUNDLED), 1, wait=False)
    found: list[str] = []
    thread = threading.Thread(
        target=lambda: found.append(Transcriber(model, None).transcribe((SILENCE,), OPTIONS).text)
    )
    thread.start()
    thread.join(0.5)
    assert not found
    go_on.set()
    thread.join(10)
    assert found == [""]


def test_a_sound_model_is_confirmed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(ModelDirectory.open(BUNDLED), 1, wait=False)
    model.confirm()
    model.confirm()
    assert Transcriber(model, None).transcribe((SILENCE,), OPTIONS).duration == 1.0


def test_hotwords_do_not_disturb_a_model_that_was_not_taught_them() -> None:
    model = load_model(ModelDirectory.open(BUNDLED), 1)
    assert not model.rules.takes_prompts
    audio, _ = soundfile.read(AUDIO / "navigate_home.wav", dtype="float32")
    options = replace(OPTIONS, hotwords=("Zwickau", "ACC", "Leipzig", "Chemnitz", "Porsche"))
    assert Transcriber(model, None).transcribe((audio,), options).text == "navigate home"


def test_other_models_are_told_of_prompts(tmp_path: Path) -> None:
    """What OpenAI trained says nothing about it."""
    file = tmp_path / "generation_config.json"
    file.write_text("{}")
    directory = ModelDirectory(tmp_path, ModelDirectory.open(BUNDLED).manifest)
    assert GenerationRules.from_directory(directory).takes_prompts


@pytest.mark.parametrize(
    "heads",
    [[[2, 0], [2, 1], [3, 5]], [[0, 0], [10, 12]], [[0, 64]], [[-1, 0]], [[0, -1]]],
    ids=["layers", "one layer", "head", "negative layer", "negative head"],
)
def test_heads_of_a_larger_model_are_not_taken(
    heads: list[list[int]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 07: a distilled model has its teacher's. Every request for word timestamps was an IndexError."""
    model = load_model(_with_heads(tmp_path, heads), 1)
    assert model.rules.alignment_heads == ()
    [warning] = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "alignment heads" in warning.getMessage()
    audio, _ = soundfile.read(AUDIO / "navigate_home.wav", dtype="float32")
    options = replace(OPTIONS, word_timestamps=True)
    heard = Transcriber(model, None).transcribe((audio,), options)
    assert [word.text.strip() for one in heard.segments for word in one.words] == [
        "navigate",
        "home",
    ]


def test_heads_that_are_there_are_taken(tmp_path: Path) -> None:
    assert load_model(_with_heads(tmp_path, [[1, 3]]), 1).rules.alignment_heads == ((1, 3),)


def _with_heads(place: Path, heads: list[list[int]]) -> ModelDirectory:
    """The bundled model with other alignment heads."""
    path = place / "distilled"
    shutil.copytree(BUNDLED, path)
    file = path / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"alignment_heads": heads}))
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"][file.name] = {"bytes": file.stat().st_size, "sha256": file_sha256(file)}
    (path / "manifest.json").write_text(json.dumps(manifest))
    return ModelDirectory.open(path)
