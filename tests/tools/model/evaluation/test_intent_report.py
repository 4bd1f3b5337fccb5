"""What was understood, as people read it and as programs do."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.tools.model.evaluation.measurements import measurement, scored
from tests.tools.model.evaluation.test_report import sections, table
from tools.model.evaluation.comparison import comparison
from tools.model.evaluation.document import to_json
from tools.model.evaluation.intent_scoring import Judgement
from tools.model.evaluation.meaning import NOTHING, Meaning
from tools.model.evaluation.report import to_markdown
from tools.model.evaluation.scoring import Scored

FAN = Meaning("SetFan", (("level", 3),))
FASTER = Meaning("SetFan", (("level", 5),))
TIME = Meaning("AskTime")


def judged(
    said: str, heard: str, meant: Meaning, understood: Meaning, group: str, speaker: str = ""
) -> Scored:
    acts = bool(understood) and understood is not TIME
    judgement = Judgement(meant, meant, understood, acts, 1_800.0)
    return scored(said, heard, group=group, speaker=speaker, seconds=1_800.0, judgement=judgement)


ALL = [
    judged("fan to three", "fan to 3", FAN, FAN, "car", "anna"),
    judged("fan to three", "fan to five", FAN, FASTER, "car", "otto"),
    judged("what time is it", "what dime is it", TIME, NOTHING, "car", "otto"),
    judged("", "", NOTHING, NOTHING, "noise"),
    judged("fans of five", "fan to five", NOTHING, FASTER, "free"),
    scored("oui", "oui", group="french"),
]


def test_head() -> None:
    head = "\n".join(sections(to_markdown(measurement(*ALL, grammar="the service: en")))[""])
    assert (
        "**Intents right 66.67 %**, with slots 33.33 % (95 % within 0.0 to 100.0): 1 of 3" in head
    )
    assert "wrong actions for 1 (33.33 %)." in head
    assert "**1 wrong actions in 1.000 h without a command**, 1.0 per hour." in head
    assert "Understood with the sentences of the service: en." in head
    assert "1 files are in languages without sentences" in head


def test_tables() -> None:
    found = sections(to_markdown(measurement(*ALL, grammar="the service: en")))
    header, *rows = table(found["Intents by set"])
    assert dict(zip(header, rows[0], strict=True)) == {
        "set": "car",
        "commands": "3",
        "intent right": "66.67 %",
        "95 % within": "0.0 to 100.0",
        "intent and slots right": "33.33 %",
        "sentence right": "0.00 %",
        "slots": "2",
        "slot errors": "1",
        "asked first": "0",
        "missed": "1",
        "wrong actions": "1",
        "share": "33.33 %",
    }
    assert [row[:4] for row in rows] == [
        ["car", "3", "66.67 %", "0.0 to 100.0"],
        ["total", "3", "66.67 %", "0.0 to 100.0"],
    ]
    speakers = table(found["Intents by speaker"])[1:]
    assert [row[0] for row in speakers] == ["anna", "otto", "total"]
    assert "Intents by noise" not in found
    assert table(found["Wrong actions without a command, by set"])[1:] == [
        ["noise", "1", "0.500", "0", "0", "0.0"],
        ["free", "1", "0.500", "1", "1", "2.0"],
        ["total", "2", "1.000", "1", "1", "1.0"],
    ]


def test_what_was_not_understood() -> None:
    lines = sections(to_markdown(measurement(*ALL), errors=2))["Not understood as meant"]
    text = "\n".join(lines)
    assert "heard wrong: 3\n" in text
    assert text.count("    understood  ") == 2
    assert (
        "  car/a.wav, otto, acts\n"
        "    said        fan to three\n"
        "    heard       fan to five\n"
        "    meant       SetFan level=3\n"
        "    understood  SetFan level=5\n"
    ) in text
    assert "Not understood as meant" not in sections(to_markdown(measurement(*ALL)))


def test_each_action_without_a_command() -> None:
    """With what was said: somebody may have said it after all."""
    asked = judged("fans of three", "fan to 3", NOTHING, FAN, "free")
    assert asked.judgement is not None
    asked = replace(asked, judgement=replace(asked.judgement, is_asked=True))
    lines = sections(to_markdown(measurement(*ALL, asked)))["Done without a command"]
    assert "\n".join(lines).strip().strip("`").strip() == (
        "free/a.wav, acts\n"
        "    said        fans of five\n"
        "    heard       fan to five\n"
        "    meant       nothing\n"
        "    understood  SetFan level=5"
    )
    assert "Done without a command" not in sections(to_markdown(measurement(*ALL[:4])))


def test_nothing_of_intents_where_nobody_asked() -> None:
    markdown = to_markdown(measurement(scored("turn left", "turn left")), errors=3)
    assert "ntent" not in markdown
    assert "action" not in markdown


def test_json() -> None:
    found = json.loads(to_json([measurement(*ALL, grammar="the service: en")]))
    assert found["grammar"] == "the service: en"
    assert found["total"]["intents"] == {
        "commands": 3,
        "intents_right": 2,
        "intent_rate": 0.666667,
        "intent_rate_95": [0.0, 1.0],
        "right": 1,
        "right_rate": 0.333333,
        "right_rate_95": [0.0, 1.0],
        "asked_first": 0,
        "missed": 1,
        "wrong_actions": 1,
        "wrong_action_rate": 0.333333,
        "slots": {"meant": 2, "wrong": 1, "missing": 0, "added": 0, "error_rate": 0.5},
        "no_command": {
            "files": 2,
            "seconds": 3_600.0,
            "understood": 1,
            "wrong_actions": 1,
            "wrong_actions_per_hour": 1.0,
        },
    }
    assert found["sets"]["french"]["intents"] is None
    assert found["utterances"][1]["intent"] == {
        "verdict": "other slots",
        "cause": "heard wrong",
        "acts": True,
        "asked_first": False,
        "meant": {"intent": "SetFan", "slots": {"level": 3}},
        "said": {"intent": "SetFan", "slots": {"level": 3}},
        "understood": {"intent": "SetFan", "slots": {"level": 5}},
    }


def test_several_models() -> None:
    silent = [judged("fan to three", "", FAN, NOTHING, "car")]
    found = sections(comparison([measurement(*ALL, name="good"), measurement(*silent, name="bad")]))
    assert table(found["Intents and slots right, by set"]) == [
        ["set", "files", "good", "bad"],
        ["car", "3", "33.33 % (0.0 to 100.0)", "0.00 % (0.0 to 0.0)"],
        ["all English", "5", "33.33 % (0.0 to 100.0)", "-"],
    ]
    assert table(found["Wrong actions, for commands and without one, by set"])[1:4] == [
        ["car", "3", "1 + 0", "0 + 0"],
        ["noise", "1", "0 + 0", "-"],
        ["free", "1", "0 + 1", "-"],
    ]
