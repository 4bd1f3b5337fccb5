"""A worker's process with an engine that only counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rtap.errors import ModelError
from tools.benchmarks.asr import process
from tools.benchmarks.asr.process import Worker

FAKE = "tests.tools.benchmarks.asr.fake_engine"
PYTHON = Path(sys.executable)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    np.save(tmp_path / "audio.npy", np.zeros(100, np.float32))
    return tmp_path / "audio.npy"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(PYTHON, FAKE, tmp_path, 2) as one:
        yield one


def test_it_answers(worker: Worker, samples: Path) -> None:
    assert worker.version == "1.2.2"
    assert worker.load_seconds >= 0
    reading = worker.transcribe(samples, "en")
    assert (reading.text, reading.contexts) == ("en 100", (1.0, 30.0))
    assert 0 < reading.cpu < 1
    assert 0 < reading.wall < 1
    assert 10e6 < reading.peak < 1e9
    assert worker.transcribe(samples, "de").text == "de 100"


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="fake_engine failed: FileNotFoundError: no nothing"):
        Worker(PYTHON, FAKE, tmp_path / "nothing", 1)


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("la", "it ended with status 1: .*the engine gave up"),
        ("yi", "ValueError: no such language"),
    ],
)
def test_what_fails_half_way(language: str, message: str, tmp_path: Path, samples: Path) -> None:
    with Worker(PYTHON, FAKE, tmp_path, 1) as worker, pytest.raises(ModelError, match=message):
        worker.transcribe(samples, language)


def test_one_that_does_not_end_is_killed(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_STOP_SECONDS", 0.05)
    with Worker(PYTHON, FAKE, tmp_path, 1) as worker:
        assert worker.transcribe(samples, "eo").text == "eo 100"
