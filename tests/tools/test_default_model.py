"""tools.default_model: the model that understands people, or one line that says why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.model_store import DEFAULT_MODEL
from tests.backend.model_directories import make_model
from tools.default_model import chosen_model, find_default_model


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "models"


def never() -> str:
    raise AssertionError("it is there")


def test_what_is_there_is_taken(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    present = make_model(models / DEFAULT_MODEL)
    found = find_default_model("demo", never)
    assert found is not None
    assert found.path == present
    assert capsys.readouterr().err == ""


def test_what_is_missing_is_made_and_nothing_is_chosen_by_it(models: Path, tmp_path: Path) -> None:
    choice = tmp_path / "config/rtap/model.json"
    choice.parent.mkdir(parents=True)
    choice.write_text('{"model": "mine"}\n')

    def install() -> str:
        make_model(models / DEFAULT_MODEL)
        choice.write_text(f'{{"model": "{DEFAULT_MODEL}"}}\n')
        return ""

    assert find_default_model("demo", install) is not None
    assert choice.read_text() == '{"model": "mine"}\n'


@pytest.mark.usefixtures("models")
def test_what_cannot_be_had_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_default_model("demo", lambda: "no network: copy it") is None
    waiting, said = capsys.readouterr().err.splitlines()
    assert waiting.startswith("demo: whisper-base-int8 is fetched")
    assert said.startswith("demo: cabin-en is taken instead of whisper-base-int8: ")
    assert "no network: copy it" in said


def test_a_model_that_is_named(models: Path) -> None:
    assert chosen_model(str(make_model(models / "mine")), "image") == models / "mine"
    assert chosen_model("none", "image") is None
