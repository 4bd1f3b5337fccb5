"""rtap intents check | try | list."""

import json
from pathlib import Path

import pytest

from rtap.__main__ import main


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("RTAP_ENVIRONMENT", "RTAP_LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "horn.yaml").write_text(
        "intents: {Honk: {data: [{sentences: [honk the horn]}]}}"
    )
    return folder


def test_check(capsys: pytest.CaptureFixture[str], own: Path):
    assert main(["intents", "check", str(own)]) == 0
    de, en = capsys.readouterr().out.splitlines()
    assert de.startswith("ok: de: 101 intents, ")
    assert en.startswith("ok: en: 102 intents, ")


def test_check_lists_every_fault(capsys: pytest.CaptureFixture[str], own: Path):
    (own / "en" / "horn.yaml").write_text(
        "intents: {Honk: {data: [{sentences: [honk {it}, '{a']}]}}\n"
    )
    assert main(["intents", "check", str(own), "--language", "en"]) == 2
    error = capsys.readouterr().err
    assert f"rtap: error: {own}/en/horn.yaml:1: a sentence of Honk is no text" in error


def test_check_as_json(capsys: pytest.CaptureFixture[str], own: Path):
    (own / "en" / "horn.yaml").write_text("intents: {Honk: {data: [{sentences: ['honk {it}']}]}}\n")
    assert main(["intents", "check", str(own), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["faults"] == [
        f"{own}/en/horn.yaml:1: a sentence of Honk has the unknown list {{it}}: define it"
    ]
    assert [row["language"] for row in document["languages"]] == ["de"]


def test_try(capsys: pytest.CaptureFixture[str]):
    assert main(["intents", "try", "Set the temperature to 21°C."]) == 0
    assert capsys.readouterr().out == "SetTemperature\n  temperature: 21 celsius\n"


def test_try_what_is_no_command(capsys: pytest.CaptureFixture[str]):
    assert main(["intents", "try", "Set the temprature to 21 degrees."]) == 0
    said, offered = capsys.readouterr().out.splitlines()
    assert said == "no intent"
    assert offered == "did you mean: set the temperature to 21 degrees"


def test_try_as_json(capsys: pytest.CaptureFixture[str], own: Path):
    assert main(["intents", "try", "Honk the horn!", "--folder", str(own), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["intent"] == {"name": "Honk", "slots": [], "confidence": 1.0, "matching": 1.0}


def test_try_with_what_the_profile_says(
    profiles: Path, own: Path, capsys: pytest.CaptureFixture[str]
):
    contacts = own / "contacts.txt"
    contacts.write_text("Anna\n")
    (profiles / "car.yaml").write_text(
        f"stt: {{language: de}}\nintents: {{folders: ['{own}'], contacts: '{contacts}'}}\n"
    )
    assert main(["intents", "try", "Ruf Anna an.", "--profile", "car"]) == 0
    assert capsys.readouterr().out == 'CallContact\n  contact: "Anna"\n'
    assert (
        main(["intents", "try", "honk the horn", "--profile", "car", "--language", "English"]) == 0
    )
    assert capsys.readouterr().out == "Honk\n"


def test_a_language_without_sentences(capsys: pytest.CaptureFixture[str]):
    assert main(["intents", "try", "bonjour", "--language", "fr"]) == 2
    assert (
        "there are no intents in the language fr: choose one of de, en" in capsys.readouterr().err
    )


def test_list(capsys: pytest.CaptureFixture[str]):
    assert main(["intents", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 101
    assert lines[0].startswith("SetTemperature ")
    assert lines[0].endswith("[temperature, zone]")


def test_list_as_json(capsys: pytest.CaptureFixture[str]):
    assert main(["intents", "list", "--language", "de", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["intent"] == "SetTemperature"
    assert rows[0]["slots"] == ["temperature", "zone"]
    assert rows[0]["templates"] >= 10
