"""What a check is asked about: a machine made of files, and a model that answers as the test says."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtap import app
from rtap.config import Config, SttConfig


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def recognizer(monkeypatch: pytest.MonkeyPatch, answer: float | Exception) -> list[str]:
    """The application recognises in so many seconds; returns what is called."""
    called: list[str] = []

    def probe() -> Future[float]:
        called.append("probe")
        future: Future[float] = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    stt = SimpleNamespace(
        start=lambda: called.append("start"), probe=probe, stop=lambda _: called.append("stop")
    )
    monkeypatch.setattr(app, "RTAPApplication", lambda config: SimpleNamespace(stt=stt))
    return called


def with_model(path: Path) -> Config:
    return Config(stt=SttConfig(model_name=path.name), models_dir=path.parent)
