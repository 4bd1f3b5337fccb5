"""What the checks' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.doctor import packages, system_files
from tests.backend.model_directories import make_model


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Takes the place of /, for the kernel's files."""
    monkeypatch.setattr(system_files, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def _packages_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_import_faults", lambda names: {})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "models" / "whisper-base")
