"""The model that understands people, or one line that says why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import ModelError
from rtap.whisper.model_store import DEFAULT_MODEL
from tests.backend.model_directories import make_model
from tools.model.conversion.default_model import Progress, chosen_model, find_default_model


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "models"


def test_it_is_made_and_the_wait_is_told(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ensure(on_progress: Progress) -> Path:
        on_progress("downloading")
        return make_model(models / DEFAULT_MODEL)

    found = find_default_model("demo", ensure)
    assert found is not None
    assert found.path == models / DEFAULT_MODEL
    assert capsys.readouterr().err == "demo: whisper-base-int8: downloading ...\n"


def cannot_be_had(_: Progress) -> Path:
    raise ModelError("no network: copy it")


@pytest.mark.usefixtures("models")
def test_what_cannot_be_had_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_default_model("demo", cannot_be_had) is None
    assert capsys.readouterr().err == (
        "demo: cabin-en takes the place of whisper-base-int8 and does not understand people reliably: "
        "no network: copy it\n"
    )


def test_an_older_one_is_better_than_none(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    present = make_model(models / DEFAULT_MODEL)
    found = find_default_model("demo", cannot_be_had)
    assert found is not None
    assert found.path == present
    assert "stays as it is" in capsys.readouterr().err


def test_a_model_that_is_named(models: Path) -> None:
    assert chosen_model(str(make_model(models / "mine")), "image") == models / "mine"
    assert chosen_model("none", "image") is None
