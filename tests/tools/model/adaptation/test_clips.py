"""Audio with and without texts, from all that tools/evaluate takes and from plain folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.errors import ConfigurationError
from tools.model.adaptation.clips import Clip, load_clips


def write(path: Path, seconds: float = 1.0, rate: int = 16_000, value: float = 0.5) -> Path:
    soundfile.write(path, np.full(round(seconds * rate), value), rate)
    return path


def load(source: Path, longest: float = 30.0, limit: int | None = None) -> list[Clip]:
    complaints: list[str] = []
    clips = load_clips([source], longest, limit, complaints.append)
    assert not complaints
    return clips


def test_some_have_texts(tmp_path: Path) -> None:
    for name in ("a.wav", "b.flac", "c.wav"):
        write(tmp_path / name)
    (tmp_path / "a.txt").write_text(" turn \n left ")
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "notes.txt").write_text("no transcript")
    assert [clip.text for clip in load(tmp_path)] == ["turn left", "", None]


def test_what_evaluate_takes(tmp_path: Path) -> None:
    lines = [{"audio": write(tmp_path / f"{name}.wav").name, "text": name} for name in "ab"]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [clip.text for clip in load(tmp_path)] == ["a", "b"]


def test_samples(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 0.5, rate=48_000, value=0.25)
    write(tmp_path / "b.wav", 0.5, value=-1.0)
    one, other = load(tmp_path)
    assert (one.audio.size, str(one.audio.dtype), str(one.samples.dtype)) == (
        8_000,
        "int16",
        "float32",
    )
    assert one.samples[4_000] == pytest.approx(0.25, abs=1e-3)
    assert other.samples.min() == -1.0


def test_limit_draws_evenly(tmp_path: Path) -> None:
    for index in range(6):
        write(tmp_path / f"{index}.wav", 0.1 * (index + 1))
    assert [clip.audio.size for clip in load(tmp_path, limit=3)] == [1_600, 4_800, 8_000]


def test_long_and_broken_files_are_left_out(tmp_path: Path) -> None:
    for name, seconds in {"a": 1.0, "b": 2.0, "c": 1.99}.items():
        write(tmp_path / f"{name}.wav", seconds)
    (tmp_path / "d.wav").write_bytes(b"RIFF")
    write(tmp_path / "e.wav", 0.0)
    complaints: list[str] = []
    assert len(load_clips([tmp_path], 2.0, None, complaints.append)) == 2
    assert [
        "d.wav" in complaints[0],
        "e.wav" in complaints[1],
        "1 files of 2 s" in complaints[2],
    ] == [
        True,
        True,
        True,
    ]


def test_one_is_not_enough(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    with pytest.raises(ConfigurationError, match="1 usable audio files"):
        load(tmp_path)


def test_a_text_that_is_no_utf_8(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        load(tmp_path)
