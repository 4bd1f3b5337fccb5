"""rtap models list | info | use."""

import json
import os
from pathlib import Path

import pytest

from rtap.__main__ import main
from rtap.app import RTAPApplication
from rtap.config.loader import SOURCE_PROFILES, UnifiedConfigLoader
from rtap.errors import ModelError, PipelineError
from rtap.whisper.model_directory import ModelDirectory
from tests.backend.model_directories import make_model
from tests.deadlines import SOON


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    for variable in ("MODEL_NAME", "RTAP_ENVIRONMENT"):
        monkeypatch.delenv(variable, raising=False)
    make_model(tmp_path / "models" / "whisper-base")
    make_model(tmp_path / "models" / "whisper-tiny", precision="fp32")
    return tmp_path / "models"


def entries(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    assert main(["models", "list", "--json"]) == 0
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("models")
def test_use_marks_the_model_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "use", "whisper-tiny"]) == 0
    assert capsys.readouterr().out.startswith("using whisper-tiny (")
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  whisper-base  int8") for line in lines)
    assert any(line.startswith("* whisper-tiny  fp32") for line in lines)
    listed = entries(capsys)
    assert listed["whisper-tiny"]["in_use"]
    assert not listed["whisper-base"]["in_use"]
    assert listed["whisper-base"]["precision"] == "int8"


@pytest.mark.usefixtures("models")
def test_use_says_when_the_environment_decides(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_NAME", "whisper-base")
    assert main(["models", "use", "whisper-tiny"]) == 0
    assert "MODEL_NAME is set to whisper-base" in capsys.readouterr().err


def test_use_says_when_the_profile_decides(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = models.parent / "default.yaml"
    profile.write_text("stt: {model_name: auto}\n")
    assert main(["models", "use", "whisper-tiny"]) == 0
    assert capsys.readouterr().err == ""
    profile.write_text("stt:\n  model_name: whisper-base\n")
    assert main(["models", "use", "whisper-tiny"]) == 0
    said = capsys.readouterr().err
    assert f"note: {profile}:2 names whisper-base, which comes before this choice" in said
    profile.write_text("stt: {model_nam: whisper-base}\n")
    assert main(["models", "use", "whisper-tiny"]) == 0
    assert capsys.readouterr().err == ""


class TestTheService:
    """`rtap serve` takes what the environment or the profile names, else the choice, else the bundled one."""

    @pytest.fixture(autouse=True)
    def asked_for(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names of the models that were to be loaded; they hold no graphs."""
        names: list[str] = []

        def load_model(directory: ModelDirectory, *_: object) -> None:
            names.append(directory.path.name)
            raise ModelError("it was to be loaded")

        monkeypatch.setattr("rtap.whisper.load_model.load_model", load_model)
        return names

    def start(self) -> None:
        stt = RTAPApplication(UnifiedConfigLoader.from_environment(os.environ).load()).stt
        stt.start()
        with pytest.raises(PipelineError, match="it was to be loaded"):
            stt.probe().result()
        assert stt.stop(SOON)

    def test_order(
        self, models: Path, asked_for: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.start()
        assert main(["models", "use", "whisper-tiny"]) == 0
        self.start()
        profile = models.parent / "default.yaml"
        profile.write_text("stt: {model_name: auto}\n")
        self.start()
        profile.write_text("stt: {model_name: whisper-base}\n")
        self.start()
        monkeypatch.setenv("MODEL_NAME", "cabin-en")
        self.start()
        monkeypatch.setenv("MODEL_NAME", "auto")
        self.start()
        assert asked_for == [
            *("cabin-en", "whisper-tiny", "whisper-tiny", "whisper-base", "cabin-en"),
            "whisper-tiny",
        ]

    def test_profiles_that_come_with_the_program_leave_the_choice(
        self, asked_for: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RTAP_CONFIG_DIR", str(SOURCE_PROFILES))
        assert main(["models", "use", "whisper-tiny"]) == 0
        for profile in ("default", "raspberrypi4"):
            monkeypatch.setenv("RTAP_ENVIRONMENT", profile)
            self.start()
        assert asked_for == ["whisper-tiny", "whisper-tiny"]


def test_damaged_models_are_listed(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (models / "whisper-base" / "config.json").unlink()
    assert main(["models", "list"]) == 0
    assert "  whisper-base  damaged: " in capsys.readouterr().out
    assert "is missing" in str(entries(capsys)["whisper-base"]["problem"])


def test_empty_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rtap.whisper.model_store.ModelStore.list_models", lambda store: [])
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "none"))
    assert main(["models", "list"]) == 0
    assert "make model" in capsys.readouterr().err
    assert entries(capsys) == {}


@pytest.mark.usefixtures("models")
def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", "whisper-base"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "72.6 million",
        "int8",
        "openai/whisper-base",
        "SHA-256 correct",
        "identical: 100",
    ):
        assert part in shown
    assert main(["models", "info", "whisper-base", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verified"]
    assert document["parameters"] == 72_600_000


def test_info_finds_damage(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = models / "whisper-base" / "config.json"
    config.write_text(config.read_text().replace("whisper", "whisp3r"))
    assert main(["models", "info", "whisper-base"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("rtap: error: ")
    assert "SHA-256" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("command", ["info", "use"])
def test_unknown_model(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", command, "whisper-bas"]) == 2
    assert "did you mean whisper-base" in capsys.readouterr().err
