"""A model whose files are compared with the manifest while it loads, or beside its first inference."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import rtap
from rtap.errors import ModelChangedError, ModelError
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory, external_files, file_sha256
from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from tests.deadlines import SOON

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
        assert go_on.wait(SOON)
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
    thread.join(SOON)
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


def test_the_files_that_graphs_name() -> None:
    assert external_files(BUNDLED / "decoder.onnx") == {"decoder.onnx.data"}


@pytest.mark.parametrize("before", [0, (1 << 20) - 20, (1 << 20) - 1, 3 << 20])
def test_names_of_files_wherever_they_stand(before: int, tmp_path: Path) -> None:
    """At the seam of two blocks too."""
    long = "weights/" + 200 * "x"
    graph = tmp_path / "graph.onnx"
    graph.write_bytes(
        bytes(before) + _location(b"\x01", "a") + bytes(7) + _location(b"\xd0\x01", long)
    )
    assert external_files(graph) == {"a", long}


def _location(length: bytes, name: str) -> bytes:
    return b"\x0a\x08location\x12" + length + name.encode()


@pytest.fixture
def in_use(tmp_path: Path) -> tuple[Path, Transcriber]:
    """A model that was loaded and has worked, and where it is."""
    path = tmp_path / "in-use"
    shutil.copytree(BUNDLED, path)
    transcriber = Transcriber(load_model(ModelDirectory.open(path), 1), None)
    transcriber.transcribe((SILENCE,), OPTIONS)
    return path, transcriber


@pytest.mark.parametrize("name", ["encoder.onnx.data", "decoder.onnx.data"])
def test_weights_that_are_cut_off_in_use(name: str, in_use: tuple[Path, Transcriber]) -> None:
    """Reading on in them would end the process with SIGBUS."""
    path, transcriber = in_use
    os.truncate(path / name, 0)
    for _ in range(2):
        with pytest.raises(ModelChangedError, match=rf"{name} was changed while it was in use"):
            transcriber.transcribe((SILENCE,), OPTIONS)


def test_weights_that_are_cut_off_between_two_tokens(in_use: tuple[Path, Transcriber]) -> None:
    path, transcriber = in_use
    model = transcriber._model
    decoding = model.decode(model.encode(np.zeros((80, 100), np.float32)))
    decoding.prompt([model.tokenizer.start_of_transcript], [0])
    decoding.step(np.zeros(1, np.int64))
    os.truncate(path / "decoder.onnx.data", 0)
    with pytest.raises(ModelChangedError):
        decoding.step(np.zeros(1, np.int64))
    with pytest.raises(ModelChangedError):
        decoding.prompt([model.tokenizer.start_of_transcript], [0])


def test_weights_that_are_written_over_in_use(in_use: tuple[Path, Transcriber]) -> None:
    """As large as before: half of the old model and half of a new one would go on together."""
    path, transcriber = in_use
    with (path / "decoder.onnx.data").open("r+b") as file:
        file.write(b"other weights")
    with pytest.raises(ModelChangedError):
        transcriber.transcribe((SILENCE,), OPTIONS)


def test_weights_that_are_replaced_by_renaming(in_use: tuple[Path, Transcriber]) -> None:
    path, transcriber = in_use
    new = path / "new"
    new.write_bytes(b"other weights")
    new.replace(path / "decoder.onnx.data")
    assert transcriber.transcribe((SILENCE,), OPTIONS).duration == 1.0


def test_weights_that_are_cut_off_after_the_directory_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(BUNDLED, path)
    directory = ModelDirectory.open(path)
    os.truncate(path / "encoder.onnx.data", 100)
    with pytest.raises(ModelError, match=r"encoder\.onnx\.data is damaged"):
        load_model(directory, 1)


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    place = tmp_path / "model"
    shutil.copytree(BUNDLED, place)
    model = load_model(ModelDirectory.open(place), 1)
    assert _descriptors_in(place) == ["decoder.onnx.data", "encoder.onnx.data"]
    del model
    gc.collect()
    assert _descriptors_in(place) == []


def _descriptors_in(place: Path) -> list[str]:
    """Files there that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            file = descriptor.readlink()
            found += [file.name] if file.parent == place else []
    return sorted(found)


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
