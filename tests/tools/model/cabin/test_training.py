"""A network small enough to learn two words in seconds goes the whole way to the engine."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from tools.model.cabin import batches, schedule, training
from tools.model.cabin.export import export
from tools.model.cabin.network import LONGEST_SECONDS, Shape
from tools.model.cabin.phones import Phones
from tools.model.cabin.schedule import Schedule
from tools.model.cabin.speech_corpus import Utterance
from tools.model.cabin.tokenizer import train_tokenizer
from tools.model.cabin.training import Trainer

SHAPE = Shape(width=64, heads=4, encoder_layers=2, decoder_layers=1)
TOKENIZER = train_tokenizer(["left", "right"] * 10)
PHONES = Phones({"left": ("l",), "right": ("r",)})


def tone(hertz: float, text: str) -> Utterance:
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    audio = np.round(20000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return Utterance(audio, text, text, "tone")


WORDS = [tone(500, "left"), tone(2500, "right")]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_BANK_PIECES", 1)
    monkeypatch.setattr(batches, "_BANK_SECONDS", 12.0)
    monkeypatch.setattr(batches, "_POOL", 32)
    monkeypatch.setattr(batches, "_JOINED", 0.0)
    monkeypatch.setattr(schedule, "_WARM_UP", 10)


def trainer(place: Path) -> Trainer:
    return Trainer(SHAPE, TOKENIZER, PHONES, place, seed=0, device="cpu")


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_learns_resumes_and_runs_on_the_engine(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    lines: list[str] = []
    whole = Schedule(steps=160, rate=3e-3, seconds=20, save_every=80)
    learner = trainer(tmp_path)
    assert not learner.resume()
    learner.train(WORDS * 20, WORDS, Schedule(steps=80, rate=3e-3, seconds=20), lines.append)

    learner = trainer(tmp_path)
    assert learner.resume()
    assert learner.step == 80
    learner.train(WORDS * 20, WORDS, whole, lines.append)
    assert learner.word_error_rate(WORDS) == 0.0
    assert len((tmp_path / "curve.jsonl").read_text().splitlines()) == 2

    full, small = export(learner.network, TOKENIZER, tmp_path, "words")
    assert full.elastic == small.elastic == "native"
    assert small.precision == "int8"
    # Tones are no speech, so no detector of speech comes before the model.
    engine = Transcriber(load_model(ModelDirectory.open(tmp_path / "words"), 1), None)
    for word in WORDS:
        audio = np.concatenate(
            [np.zeros(4000), word.audio / 32768, np.zeros(4000)],
            dtype=np.float32,
            casting="same_kind",
        )
        result = engine.transcribe([audio], TranscribeOptions(language="en"))
        assert result.text.strip() == word.text


def test_the_rate_rises_and_falls() -> None:
    slow = Schedule(steps=5000)
    rates = [slow.rate_at(step) for step in range(0, 5001, 100)]
    top = rates.index(max(rates))
    assert max(rates) == 1.0
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] == pytest.approx(0.0, abs=1e-6)


def test_spec_augment_keeps_most_of_the_features() -> None:
    torch.manual_seed(0)
    mel = torch.randn(8, 80, LONGEST_SECONDS * 100)
    masked = training._masked(mel)
    changed = (masked != mel).float().mean()
    assert 0.02 < changed < 0.4
