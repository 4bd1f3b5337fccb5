"""What is kept of a run, and when it counts again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError, StorageError
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.transcripts import Heard, Transcripts


@pytest.fixture
def utterance(tmp_path: Path) -> Utterance:
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"sound")
    return Utterance(audio, "turn left", "car", language="en")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept/small.jsonl"


def heard(utterance: Utterance, text: str = "turn left") -> Heard:
    return Heard(utterance, text, 2.0, 0.5, 0.6, (3.0, 30.0), ("breaks off",), 0.75)


def test_kept_and_found_again(utterance: Utterance, path: Path) -> None:
    Transcripts(path).add(heard(utterance))
    assert Transcripts(path).find(utterance) == heard(utterance)


def test_nothing_is_kept_without_a_file(utterance: Utterance) -> None:
    transcripts = Transcripts(None)
    transcripts.add(heard(utterance))
    assert transcripts.find(utterance) is None


def test_found_wherever_the_data_lie(utterance: Utterance, path: Path, tmp_path: Path) -> None:
    Transcripts(path).add(heard(utterance))
    moved = tmp_path / "moved.wav"
    moved.write_bytes(b"sound")
    assert Transcripts(path).find(replace(utterance, audio=moved)) is None
    (tmp_path / "elsewhere").mkdir()
    moved = moved.rename(tmp_path / "elsewhere/a.wav")
    assert Transcripts(path).find(replace(utterance, audio=moved)) is not None


@pytest.mark.parametrize(
    "change",
    [{"language": "de"}, {"group": "boat"}, {"snr": 10.0}, {"cut": (0.5, 1.5)}],
    ids=lambda change: next(iter(change)),
)
def test_other_utterances_are_others(
    change: dict[str, str], utterance: Utterance, path: Path
) -> None:
    Transcripts(path, noise="road, seed 0").add(heard(utterance))
    assert Transcripts(path, noise="road, seed 0").find(replace(utterance, **change)) is None  # type: ignore[arg-type]


def test_other_noise_is_other_noise(utterance: Utterance, path: Path) -> None:
    noisy = replace(utterance, snr=10.0)
    Transcripts(path, noise="road, seed 0").add(heard(noisy))
    assert Transcripts(path, noise="road, seed 0").find(noisy) is not None
    assert Transcripts(path, noise="road, seed 1").find(noisy) is None
    assert Transcripts(path, noise="road, seed 0").find(replace(noisy, snr=5.0)) is None


def test_a_detected_language_is_not_a_given_one(utterance: Utterance, path: Path) -> None:
    Transcripts(path, detects=True).add(heard(utterance))
    assert Transcripts(path).find(utterance) is None
    assert Transcripts(path, detects=True).find(utterance) is not None


def test_other_audio_of_the_same_name(utterance: Utterance, path: Path, tmp_path: Path) -> None:
    Transcripts(path).add(heard(utterance))
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.wav").write_bytes(b"other sound")
    assert Transcripts(path).find(replace(utterance, audio=tmp_path / "new/a.wav")) is None


def test_lines_of_other_programs(utterance: Utterance, path: Path) -> None:
    path.parent.mkdir()
    line = {"set": "car", "audio": "a.wav", "language": "en", "text": " Turn\nleft "}
    path.write_text(json.dumps(line))
    found = Transcripts(path).find(utterance)
    assert found == Heard(utterance, "Turn left", 0.0, 0.0, 0.0, None, ())


def test_half_a_line_is_heard_again(utterance: Utterance, path: Path) -> None:
    Transcripts(path).add(heard(utterance))
    whole = path.read_text()
    path.write_text(whole + whole[:40])
    transcripts = Transcripts(path)
    other = replace(utterance, group="boat")
    assert transcripts.find(utterance) is not None
    transcripts.add(heard(other, "row"))
    again = Transcripts(path).find(other)
    assert again is not None
    assert again.text == "row"


def test_those_of_another_engine_are_counted(utterance: Utterance, path: Path) -> None:
    Transcripts(path, "old").add(heard(utterance))
    assert Transcripts(path, "old").outdated == 0
    assert Transcripts(path, "new").outdated == 1
    assert Transcripts(path).outdated == 0


def test_what_is_no_file_of_transcripts(path: Path, utterance: Utterance, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(
        ConfigurationError, match=r"small\.jsonl cannot be read .*: give another file"
    ):
        Transcripts(path)
    (tmp_path / "file").touch()
    with pytest.raises(
        StorageError, match=r"cannot be written .*: make room, or give --transcripts"
    ):
        Transcripts(tmp_path / "file/small.jsonl").add(heard(utterance))
