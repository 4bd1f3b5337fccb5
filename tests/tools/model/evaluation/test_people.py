"""tools.model.evaluation.people: where the recordings of a person come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.model.evaluation.people import FOLDER, PROMPTS, recordings


def place(root: Path) -> Path:
    (root / FOLDER).mkdir(parents=True)
    for name in PROMPTS:
        (root / FOLDER / name).touch()
    return root


@pytest.fixture
def _no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither apt-get nor anything else."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


def test_sixteen_words() -> None:
    assert PROMPTS["Rear_Left.wav"] == "rear left"
    assert sum(len(text.split()) for text in PROMPTS.values()) == 16


def test_installed_ones_come_before_the_cache(tmp_path: Path) -> None:
    cache = place(tmp_path / "cache")
    system = tmp_path / "system"
    assert next(iter(recordings(system, cache))).is_relative_to(cache)
    place(system)
    assert next(iter(recordings(system, cache))).is_relative_to(system)


@pytest.mark.usefixtures("_no_programs")
def test_none_are_to_be_had(tmp_path: Path) -> None:
    cache = place(tmp_path / "cache")
    (cache / FOLDER / "Side_Left.wav").unlink()
    assert recordings(tmp_path / "system", cache) == {}
