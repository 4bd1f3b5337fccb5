"""Which recordings are heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.benchmarks.asr.recordings import chosen, unpacked
from tools.model.evaluation.data import Utterance


@pytest.fixture
def people(tmp_path: Path) -> Path:
    sets = {
        "car": [("turn left", "en"), ("links", "de"), ("", ""), ("stop", "")],
        "boat": [("row", "en")],
    }
    for name, lines in sets.items():
        (tmp_path / name).mkdir()
        entries = []
        for number, (text, language) in enumerate(lines):
            soundfile.write(tmp_path / name / f"{number}.wav", np.full(800, 0.1), SAMPLE_RATE // 2)
            entries.append({"audio": f"{number}.wav", "text": text, "language": language or None})
        text = "\n".join(json.dumps(entry) for entry in entries)
        (tmp_path / name / "manifest.jsonl").write_text(text)
    return tmp_path


def clips(utterances: list[Utterance]) -> list[str]:
    return [f"{one.clip} {one.language}" for one in utterances]


def test_what_has_words_in_a_language_that_the_weights_know(people: Path) -> None:
    everything = ["boat/0.wav en", "car/0.wav en", "car/1.wav de", "car/3.wav en"]
    assert clips(chosen(people, [], None, multilingual=True)) == everything
    english = [one for one in everything if one.endswith("en")]
    assert clips(chosen(people, [], None, multilingual=False)) == english
    assert clips(chosen(people, ["car"], 2, multilingual=False)) == english[1:]


def test_what_there_is_not(people: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no set train: give --sets some of boat, car"):
        chosen(people, ["train"], None, multilingual=True)
    (people / "boat/manifest.jsonl").write_text('{"audio": "0.wav", "text": ""}')
    with pytest.raises(ConfigurationError, match="has nothing with known words"):
        chosen(people, ["boat"], None, multilingual=True)


def test_samples_are_what_every_engine_gets(people: Path, tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    long = people / "long.wav"
    soundfile.write(long, np.zeros(31 * SAMPLE_RATE), SAMPLE_RATE)
    utterances = [*chosen(people, ["boat"], None, multilingual=True), Utterance(long, "a", "x")]
    [command], left_out = unpacked(utterances, tmp_path / "samples")
    samples = np.load(command.samples)
    assert samples.dtype == np.float32
    assert command.seconds == pytest.approx(0.1)
    assert samples.size == pytest.approx(SAMPLE_RATE * 0.1)
    assert left_out == ["x/long.wav: 31.0 s do not fit into one context"]
