"""What data say that is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rtap.errors import ConfigurationError
from tools.model.evaluation.meaning import (
    NOTHING,
    BrokenMeaning,
    Meaning,
    meaning_of,
    read_meaning,
)


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ({}, None),
        ({"intent": "AskTime"}, Meaning("AskTime")),
        ({"intent": ""}, NOTHING),
        ({"intent": "", "slots": {}}, NOTHING),
        ({"intent": "SetFan", "slots": None}, Meaning("SetFan")),
        (
            {"intent": "SetFan", "slots": {"zone": "rear", "level": 3}},
            Meaning("SetFan", (("level", 3), ("zone", "rear"))),
        ),
    ],
)
def test_an_entry(entry: dict[str, Any], meaning: Meaning | None) -> None:
    assert meaning_of(entry) == meaning


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"slots": {"level": 3}}, 'stand without "intent"'),
        ({"intent": None}, '"intent" is no text'),
        ({"intent": 3}, '"intent" is no text'),
        ({"intent": "SetFan", "slots": [3]}, "are not names with values"),
        ({"intent": "SetFan", "slots": {"level": None}}, "are not names with values"),
        ({"intent": "SetFan", "slots": {"level": [3]}}, "are not names with values"),
        ({"intent": "", "slots": {"level": 3}}, '"slots" of no command'),
    ],
)
def test_a_broken_entry(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(BrokenMeaning, match=message):
        meaning_of(entry)


def test_how_it_is_shown() -> None:
    assert str(Meaning("SetFan", (("level", 3), ("zone", "rear")))) == 'SetFan level=3 zone="rear"'
    assert str(NOTHING) == "nothing"
    assert not NOTHING


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "no json", '{"intent": 3}', "\udcff", "[" * 9_999]
)
def test_a_broken_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"a\.json says no intent.*: write"):
        read_meaning(file)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('\ufeff{"intent": "CallContact", "slots": {"contact": "Zoë"}}', "utf-8")
    assert read_meaning(file) == Meaning("CallContact", (("contact", "Zoë"),))
