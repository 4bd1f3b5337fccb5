"""What becomes of turns: the tables of dialogues, and what no table shows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rtap.config import IntentsConfig
from rtap.errors import ConfigurationError
from rtap.intents.dialogue import DIALOGUE_SECONDS, Dialogue, Turn
from rtap.intents.intent import Intent
from rtap.intents.question import Kind
from rtap.intents.understander import Understander

DIALOGUES = Path(__file__).parent / "dialogues"
TURN = re.compile(
    r"(?:(?P<after>[\d.]+)s )?(?:(?P<sure>\d+)% )?(?:(?P<language>[a-z]{2}) )?(?P<text>.+?) -> (?P<result>.+)"
)


@pytest.fixture(scope="module")
def understander(tmp_path_factory: pytest.TempPathFactory) -> Understander:
    folder = tmp_path_factory.mktemp("names")
    contacts, places = folder / "contacts.txt", folder / "places.txt"
    contacts.write_text(
        "Anna Schmidt\nAnna Müller\nPeter Schmidt\nMum, Mama\nDr. Weber, Doktor Weber, Doctor Weber\n",
        "utf-8",
    )
    places.write_text("Home, Hause, nach Hause\nMunich Airport\nMunich Central Station\n", "utf-8")
    return Understander(IntentsConfig(contacts=contacts, places=places))


def shown(intent: Intent) -> str:
    """An intent as the tables write it."""
    slots = [
        f"{slot.name}={str(slot.value).lower() if isinstance(slot.value, bool) else slot.value}"
        f"{f' {slot.unit}' if slot.unit else ''}"
        for slot in intent.slots
    ]
    return ", ".join([intent.name, *slots])


def told(turn: Turn) -> str:
    """A turn as the tables write it."""
    parts = []
    if question := turn.question:
        options = [
            str(option.value(question.slot)) if question.slot else shown(option)
            for option in question.options
        ]
        kind = f"{question.kind}{f' {question.slot}' if question.slot else ''}"
        again = " again" if question.again else ""
        parts = [f"{kind}{again}: {', '.join(options)}"]
    elif turn.intent:
        parts = [shown(turn.intent)]
    if turn.dropped and not turn.question:
        parts.append("dropped")
    return ", ".join(parts) or "nothing"


def dialogues(language: str) -> list[list[str]]:
    lines = (DIALOGUES / f"{language}.txt").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return [block.splitlines() for block in text.split("\n\n") if block.strip()]


@pytest.mark.parametrize("language", ["en", "de"])
def test_tables(language: str, understander: Understander):
    wrong = []
    rows = dialogues(language)
    for row in rows:
        dialogue = Dialogue(understander)
        now = 0.0
        for line in row:
            turn = TURN.fullmatch(line)
            assert turn is not None, line
            now += float(turn["after"] or 1)
            heard = dialogue.hear(
                turn["text"], turn["language"] or language, int(turn["sure"] or 100) / 100, now
            )
            if told(heard) != turn["result"].strip():
                wrong.append(f"{row[0]} ... {line}: {told(heard)}")
    assert "\n".join(wrong) == ""
    assert len(rows) >= 30
