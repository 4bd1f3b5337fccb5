"""tools/adapt_elastic: a checkpoint learns to hear in short contexts what it hears in full ones."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import WhisperForConditionalGeneration

from rtap.whisper.model_directory import ModelDirectory
from tests.tools.conftest import Done, Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import adapt_elastic, convert_whisper
from tools.model.adaptation import training
from tools.model.adaptation.clips import load_clips
from tools.model.adaptation.lessons import Teacher
from tools.model.adaptation.training import Course, validation_loss
from tools.model.adaptation.whisper import Whisper
from tools.model.conversion.elastic_mark import MARK
from tools.model.conversion.sources import open_checkpoint

SECONDS = 6
"""Length of the tiny checkpoint's full context."""


def write_clips(folder: Path, count: int = 24) -> Path:
    """Gliding tones in noise, each another one, of 0.6 to 1.6 s."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        time = np.arange(int(random.uniform(0.6, 1.6) * 16_000)) / 16_000
        glide = np.sin(2 * np.pi * (200 + 150 * index) * time * (1 + 0.2 * np.sin(5 * time)))
        audio = 0.3 * glide + 0.05 * random.standard_normal(time.size)
        soundfile.write(folder / f"{index:02d}.wav", audio, 16_000)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _little_noise() -> Iterator[None]:
    """Clips of a second need no minutes of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_BANK_PIECES", 1)
        patch.setattr(training, "_BANK_SECONDS", 12.0)
        yield


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights: what they hear depends on every position, padding too."""
    path = tmp_path_factory.mktemp("checkpoint") / "padded"
    tiny_checkpoint(path, max_source_positions=50 * SECONDS, max_target_positions=24)
    return path


def run(start: Start, source: Path, data: Path, output: Path, *more: str | Path) -> Done:
    """Two steps: enough for everything but learning."""
    return start(adapt_elastic.main, source, data, output, "--steps", "2", "--batch", "2", *more)


@pytest.fixture(scope="module")
def adapted(source: Path, clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What some seconds of learning make of the checkpoint."""
    torch.set_num_threads(1)  # for so small a network two wait for each other most of the time
    output = tmp_path_factory.mktemp("adapted") / "whisper-adapted"
    course = Course(steps=320, learning_rate=3e-3, batch=8, seed=0)
    data = load_clips([clips], SECONDS, None, lambda _: None)
    adapt_elastic.adapt_checkpoint(
        open_checkpoint(str(source)), data, output, course, validation=0.25
    )
    return output


@pytest.mark.slow
def test_hears_short_what_it_heard_in_full(adapted: Path) -> None:
    mark = json.loads((adapted / MARK).read_text())
    assert (mark["source"], mark["clips"], mark["steps"]) == ("padded", 24, 320)
    held_out = mark["held_out"]
    assert held_out["original_full"]["clips"] == held_out["original_full"]["same"] == 6
    assert held_out["losses"]["after"] < 0.5 * held_out["losses"]["before"]
    assert held_out["adapted_short"]["error_rate"] < held_out["original_short"]["error_rate"]
    # Random weights that agree on every word would be luck: they stay checked.
    assert mark["elastic"] == "guarded"


@pytest.mark.slow
def test_the_figures_are_those_of_the_weights(adapted: Path, source: Path, clips: Path) -> None:
    """Measured once more, from what was saved."""
    original, student = (
        Whisper(open_checkpoint(str(one)), "en", "cpu") for one in (source, adapted)
    )
    data = load_clips([clips], SECONDS, None, lambda _: None)
    held_out = [data[index] for index in np.random.default_rng(0).permutation(24)[:6]]
    losses = json.loads((adapted / MARK).read_text())["held_out"]["losses"]
    teacher = Teacher(original)
    assert validation_loss(original, teacher, held_out) == pytest.approx(losses["before"], rel=1e-4)
    assert validation_loss(student, teacher, held_out) == pytest.approx(losses["after"], rel=1e-4)


@pytest.mark.slow
def test_is_a_whole_checkpoint(adapted: Path, source: Path) -> None:
    assert {file.name for file in adapted.iterdir()} == {
        MARK,
        *(file.name for file in source.iterdir()),
    }
    model = WhisperForConditionalGeneration.from_pretrained(adapted)
    assert model.num_parameters() == open_checkpoint(str(source)).parameters()
    for name in ("tokenizer.json", "preprocessor_config.json", "generation_config.json"):
        assert (adapted / name).read_bytes() == (source / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("elastic", ["native", "guarded"])
def test_conversion_reads_the_mark(
    start: Start, adapted: Path, tmp_path: Path, elastic: str
) -> None:
    checkpoint = Path(shutil.copytree(adapted, tmp_path / "checkpoint"))
    mark = json.loads((checkpoint / MARK).read_text())
    (checkpoint / MARK).write_text(json.dumps(mark | {"elastic": elastic}))
    done = start(convert_whisper.main, checkpoint, tmp_path / "graphs")
    assert done.status == 0, done.err
    assert ModelDirectory.open(tmp_path / "graphs").manifest.elastic == elastic


def test_who_converts_has_the_last_word(start: Start, source: Path, tmp_path: Path) -> None:
    checkpoint = Path(shutil.copytree(source, tmp_path / "checkpoint"))
    (checkpoint / MARK).write_text('{"elastic": "native"}')
    arguments = (checkpoint, tmp_path / "graphs", "--no-verify", "--elastic", "guarded")
    assert start(convert_whisper.main, *arguments).status == 0
    assert ModelDirectory.open(tmp_path / "graphs").manifest.elastic == "guarded"


@pytest.mark.slow
def test_output(start: Start, source: Path, clips: Path, tmp_path: Path) -> None:
    done = run(start, source, clips, tmp_path / "one", "--json", "--limit", "8")
    assert done.status == 0, done.err
    assert json.loads(done.out) == json.loads((tmp_path / "one" / MARK).read_text())
    assert json.loads(done.out)["clips"] == 8
    assert "step 2 of 2, validation loss" in done.err
    done = run(start, source, clips, tmp_path / "two")
    assert "adapted, short" in done.out
    assert "guarded, after 2 steps on 24 clips" in done.out


@pytest.mark.slow
def test_texts_are_used_where_there_are_some(
    start: Start, source: Path, clips: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(clips, tmp_path / "data"))
    for clip in data.glob("*.wav"):
        clip.with_suffix(".txt").write_text("he is in")
    done = run(start, source, data, tmp_path / "adapted", "--json")
    assert json.loads(done.out)["held_out"]["original_full"]["text_error_rate"] is not None


class TestErrors:
    @pytest.fixture
    def output(self, tmp_path: Path) -> Path:
        return tmp_path / "adapted"

    def refused(self, done: Done, output: Path, *words: str) -> None:
        assert done.status != 0
        line = done.complaints[-1]
        assert "error: " in line
        for word in words:
            assert word in line
        assert "Traceback" not in done.err
        assert not output.exists()

    def test_no_checkpoint(self, start: Start, clips: Path, output: Path) -> None:
        done = run(start, output.parent / "nothing", clips, output)
        self.refused(done, output, "no checkpoint directory")

    def test_weights_that_break_off(
        self, start: Start, source: Path, clips: Path, output: Path
    ) -> None:
        broken = Path(shutil.copytree(source, output.parent / "broken"))
        os.truncate(broken / "model.safetensors", 1000)
        self.refused(run(start, broken, clips, output), output, "download the checkpoint again")

    def test_no_audio(self, start: Start, source: Path, output: Path) -> None:
        empty = output.parent / "empty"
        empty.mkdir()
        self.refused(run(start, source, empty, output), output, "holds no audio")

    def test_no_data(self, start: Start, source: Path, output: Path) -> None:
        done = run(start, source, output.parent / "missing", output)
        self.refused(done, output, "missing")

    def test_only_clips_as_long_as_the_context(
        self, start: Start, source: Path, output: Path
    ) -> None:
        data = output.parent / "long"
        data.mkdir()
        for name in ("a", "b", "c"):
            soundfile.write(data / f"{name}.wav", np.zeros(16_000 * SECONDS), 16_000)
        done = run(start, source, data, output)
        self.refused(done, output, f"0 usable audio files shorter than {SECONDS} s")
        assert f"3 files of {SECONDS} s or more are left out" in done.err

    def test_a_file_that_is_no_audio_is_left_out(
        self, start: Start, source: Path, clips: Path, output: Path
    ) -> None:
        data = output.parent / "data"
        data.mkdir()
        shutil.copy(clips / "00.wav", data)
        (data / "01.wav").write_text("no audio")
        done = run(start, source, data, output)
        self.refused(done, output, "1 usable audio file")
        assert "01.wav" in done.complaints[0]

    def test_output_exists(self, start: Start, source: Path, clips: Path, output: Path) -> None:
        output.mkdir()
        done = run(start, source, clips, output)
        assert done.status == 2
        assert "remove it or choose another place" in done.err
        assert list(output.iterdir()) == []

    def test_unknown_language(self, start: Start, source: Path, clips: Path, output: Path) -> None:
        self.refused(run(start, source, clips, output, "--language", "xx"), output, "xx")

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_no_gpu(self, start: Start, source: Path, clips: Path, output: Path) -> None:
        done = run(start, source, clips, output, "--device", "cuda")
        self.refused(done, output, "leave out --device cuda")

    @pytest.mark.slow
    def test_weights_that_are_no_numbers(
        self, start: Start, source: Path, clips: Path, output: Path
    ) -> None:
        broken = Path(shutil.copytree(source, output.parent / "broken"))
        weights = load_file(broken / "model.safetensors")
        weights["model.encoder.layers.0.fc1.weight"][:] = math.nan
        save_file(weights, broken / "model.safetensors", {"format": "pt"})
        self.refused(run(start, broken, clips, output), output, "are no numbers")

    def test_learning_too_fast(
        self,
        start: Start,
        source: Path,
        clips: Path,
        output: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        losses = iter([0.5, math.nan])
        monkeypatch.setattr(training, "validation_loss", lambda *_: next(losses))
        done = run(start, source, clips, output, "--limit", "4")
        self.refused(done, output, "after step 1", "lower --learning-rate")

    @pytest.mark.parametrize("share", ["0", "1", "-0.1", "many", "nan"])
    def test_shares(
        self, start: Start, source: Path, clips: Path, output: Path, share: str
    ) -> None:
        done = run(start, source, clips, output, f"--validation={share}")
        self.refused(done, output, "is not between 0 and 1")
