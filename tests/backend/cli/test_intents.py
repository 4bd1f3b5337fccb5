"""rtap intents check | try | list."""

import json
from pathlib import Path

import pytest

from rtap.__main__ import main

CAR = """\
intents:
  Heat: {data: [{sentences: ["chauffe à {t:temperature} degrés"]}]}
  Call: {data: [{sentences: ["appelle {who}"]}]}
lists:
  t: {unit: celsius, range: {from: 14, to: 30}}
  who: {file: contacts}
spellings: {"°C": degrés}
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("RTAP_ENVIRONMENT", "RTAP_LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def car(tmp_path: Path) -> Path:
    """A folder of the integrator, with a small grammar in a language of its own."""
    path = tmp_path / "own" / "fr" / "car.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CAR, "utf-8")
    return path


@pytest.fixture
def french(car: Path) -> list[str]:
    return ["--folder", str(car.parent.parent), "--language", "fr"]


def test_check_of_what_we_bring_and_of_a_folder(
    capsys: pytest.CaptureFixture[str], car: Path
) -> None:
    assert main(["intents", "check", str(car.parent.parent)]) == 0
    de, en, fr = capsys.readouterr().out.splitlines()
    assert de.startswith("ok: de: 103 intents, ")
    assert en.startswith("ok: en: 103 intents, ")
    assert fr == "ok: fr: 2 intents, 2 templates, 2 lists"


def test_check_lists_every_fault(capsys: pytest.CaptureFixture[str], car: Path) -> None:
    car.write_text("intents: {A: {data: [{sentences: ['a {it}', 'b (c']}]}}\n")
    assert main(["intents", "check", str(car.parent.parent), "--language", "French"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"rtap: error: {car}:1: a sentence of A is no template ('b (c'): see that every bracket is closed"
    ]


def test_check_as_json(capsys: pytest.CaptureFixture[str], car: Path) -> None:
    car.write_text("intents: {A: {data: [{sentences: ['a {it}']}]}}\n")
    assert main(["intents", "check", str(car.parent.parent), "--language", "fr", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "faults": [f"{car}:1: a sentence of A has the unknown list {{it}}: define it"],
        "languages": [],
    }


def test_try(capsys: pytest.CaptureFixture[str], french: list[str]) -> None:
    assert main(["intents", "try", "Chauffe à 21°C.", *french]) == 0
    assert capsys.readouterr().out == "Heat\n  temperature: 21 celsius\n"


def test_try_what_is_no_command(capsys: pytest.CaptureFixture[str], french: list[str]) -> None:
    assert main(["intents", "try", "Chaufe à 22 degrés.", *french]) == 0
    assert capsys.readouterr().out == "no intent\ndid you mean: chauffe à 22 degrés\n"


def test_try_as_json(capsys: pytest.CaptureFixture[str], french: list[str]) -> None:
    assert main(["intents", "try", "Chauffe à 21 degrés", "--json", *french]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["intent"] == {
        "name": "Heat",
        "slots": [{"name": "temperature", "value": 21, "unit": "celsius", "text": "21"}],
        "confidence": 1.0,
        "matching": 1.0,
    }


def test_try_with_what_a_profile_says(
    profiles: Path, car: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contacts = car.parent / "contacts.txt"
    contacts.write_text("Anna\n")
    (profiles / "car.yaml").write_text(
        "stt: {language: fr}\n"
        f"intents: {{folders: ['{car.parent.parent}'], contacts: '{contacts}'}}\n"
    )
    assert main(["intents", "try", "Appelle Anna.", "--profile", "car"]) == 0
    assert capsys.readouterr().out == 'Call\n  who: "Anna"\n'


def test_a_language_without_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["intents", "try", "ciao", "--language", "it"]) == 2
    assert (
        "there are no intents in the language it: choose one of de, en" in capsys.readouterr().err
    )


def test_list(capsys: pytest.CaptureFixture[str], french: list[str]) -> None:
    assert main(["intents", "list", *french]) == 0
    heat, call = capsys.readouterr().out.splitlines()
    assert heat.startswith("Heat  chauffe à ")
    assert heat.endswith(" degrés  [temperature]")
    assert call == "Call    [who]"  # nobody to call, so there is no sentence to show


def test_list_as_json(capsys: pytest.CaptureFixture[str], french: list[str]) -> None:
    assert main(["intents", "list", "--json", *french]) == 0
    _, call = json.loads(capsys.readouterr().out)
    assert call == {
        "intent": "Call",
        "description": "",
        "slots": ["who"],
        "templates": 1,
        "example": None,
    }


DIALOGUE = """\
  Likewise: {data: [{sentences: ["et {t:temperature}"], requires_context: {previous: null}}]}
  Choose: {data: [{sentences: ["{who}"], requires_context: {question: which}}]}
  Refuse: {data: [{sentences: [non]}]}
lists:
"""


@pytest.fixture
def talk(profiles: Path, car: Path) -> list[str]:
    """Options for dialogues with two contacts of the same first name."""
    car.write_text(CAR.replace("lists:\n", DIALOGUE), "utf-8")
    contacts = car.parent / "contacts.txt"
    contacts.write_text("Anna Petit\nAnna Roy\n")
    (profiles / "car.yaml").write_text(
        "stt: {language: fr}\n"
        f"intents: {{folders: ['{car.parent.parent}'], contacts: '{contacts}'}}\n"
    )
    return ["--profile", "car"]


def test_try_turns_of_a_dialogue(capsys: pytest.CaptureFixture[str], talk: list[str]) -> None:
    turns = [
        "Appelle Anna.",
        "Roy.",
        "Chaufe à 22 degrés.",
        "Non.",
        "Chauffe à 21°C.",
        "Et 23.",
        "Oui.",
    ]
    assert main(["intents", "try", *turns, *talk]) == 0
    assert capsys.readouterr().out == (
        "> Appelle Anna.\nwhich who: Anna Petit, Anna Roy?\n"
        '> Roy.\nCall\n  who: "Anna Roy"\n'
        "> Chaufe à 22 degrés.\ndid you mean: chauffe à 22 degrés?\n"
        "> Non.\ndropped what was asked\nRefuse\n"
        "> Chauffe à 21°C.\nHeat\n  temperature: 21 celsius\n"
        "> Et 23.\nHeat\n  temperature: 23 celsius\n"
        "> Oui.\nno intent\n"
    )


def test_try_turns_as_json(capsys: pytest.CaptureFixture[str], talk: list[str]) -> None:
    assert main(["intents", "try", "Appelle Anna.", "Petit", "--json", *talk]) == 0
    asked, answered = json.loads(capsys.readouterr().out)
    assert asked["intent"] is None
    assert (asked["question"]["kind"], asked["question"]["slot"]) == ("which", "who")
    assert answered["intent"]["slots"][0]["value"] == "Anna Petit"
    assert answered["question"] is None
