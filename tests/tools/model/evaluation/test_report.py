"""The tables, as people read them and as programs do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tools.model.evaluation.measurements import measurement, scored
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.document import to_json
from tools.model.evaluation.recognition import Failure
from tools.model.evaluation.report import to_markdown
from tools.model.evaluation.scoring import Scored

Table = list[list[str]]

LEFT = scored("turn left", "turn left", group="calm", speaker="10", noise="clean")
RIGHT = scored("turn right now", "turn it right", group="calm", speaker="9", noise="5 dB")
STOP = scored(
    "stop", "", group="loud", speaker="10", noise="-5 dB", seconds=1.0, contexts=(2.0, 30.0)
)
QUIET = scored("", "", group="nobody", noise="hiss", inference_time=0.0, contexts=())
FALSE = scored("", "thank you", group="nobody", noise="hiss", audio="false.wav")
ALL = (STOP, LEFT, RIGHT, QUIET, FALSE)
BROKEN = Failure(Utterance(Path("bad.wav"), "hello", "calm"), "bad.wav is empty: copy it again")


def sections(markdown: str) -> dict[str, list[str]]:
    """Lines by heading; those before the first have none."""
    found: dict[str, list[str]] = {"": []}
    for line in markdown.splitlines():
        if line.startswith("## "):
            found[line[3:]] = []
        else:
            found[list(found)[-1]].append(line)
    return found


def table(lines: list[str]) -> Table:
    """Cells without the rule below the header."""
    rows = [line for line in lines if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert re.fullmatch(r":-+", cells[1][0])
    assert all(re.fullmatch(r"-+:", cell) for cell in cells[1][1:])
    assert len({len(row) for row in rows}) == 1
    return [cells[0], *cells[2:]]


def test_tables() -> None:
    found = sections(to_markdown(measurement(*ALL)))
    header = ["utterances", "words", "WER", "95 % within"]
    header += ["substituted", "deleted", "inserted", "heard right"]
    total = ["3", "6", "50.00 %", "0.0 to 100.0", "0", "2", "1", "1"]
    assert table(found["Words by set"]) == [
        ["set", *header],
        ["loud", "1", "1", "100.00 %", "100.0 to 100.0", "0", "1", "0", "0"],
        ["calm", "2", "5", "40.00 %", "0.0 to 66.7", "0", "1", "1", "1"],
        ["all English", *total],
        ["total", *total],
    ]
    assert table(found["Words by speaker"]) == [
        ["speaker", *header],
        ["9", "1", "3", "66.67 %", "66.7 to 66.7", "0", "1", "1", "0"],
        ["10", "2", "3", "33.33 %", "0.0 to 100.0", "0", "1", "0", "1"],
        ["total", *total],
    ]
    assert [row[0] for row in table(found["Words by noise"])] == [
        *("noise", "clean", "5 dB", "-5 dB", "total")
    ]
    silence = ["2", "1", "50.00 %", "2"]
    header = ["files", "with text", "false-text rate", "words"]
    for title, name in {"set": "nobody", "noise": "hiss"}.items():
        assert table(found[f"Text without speech, by {title}"]) == [
            *([title, *header], [name, *silence], ["total", *silence])
        ]
    assert table(found["Speed"]) == [
        [
            "set",
            "audio",
            "inference",
            "RTF",
            "median RTF",
            "processor",
            "per file",
            "encodes per file",
        ],
        ["loud", "1.0 s", "0.50 s", "0.500", "0.500", "1.00 s", "1.000 s", "2.00"],
        ["calm", "4.0 s", "1.00 s", "0.250", "0.250", "2.00 s", "1.000 s", "1.00"],
        ["nobody", "4.0 s", "0.50 s", "0.125", "0.125", "2.00 s", "1.000 s", "0.50"],
        ["all with speech", "5.0 s", "1.50 s", "0.300", "0.250", "3.00 s", "1.000 s", "1.33"],
        ["total", "9.0 s", "2.00 s", "0.222", "0.250", "5.00 s", "1.000 s", "1.00"],
    ]
    assert any(line.startswith("With 1 thread.") for line in found["Speed"])


def test_head() -> None:
    head = "\n".join(sections(to_markdown(measurement(*ALL, failures=[BROKEN])))[""])
    assert head.startswith("# Word error rate of small\n\n    tools/evaluate car --model small\n")
    assert "models/small: int8, 12.3 M parameters, 25 MB. Language: en." in head
    assert "**WER 50.00 %** (95 % within 0.0 to 100.0): 3 errors in 6 words; 1 of 3" in head
    assert "**False-text rate 50.00 %**: text for 1 of 2 files without speech." in head
    assert "**1 failed**" in head
    assert "Language: detected." in to_markdown(measurement(LEFT, language=None))
    links = scored("links", "links", language="de")
    assert "Language: de, en." in to_markdown(measurement(LEFT, links))
    left_out = to_markdown(measurement(LEFT, unknown_languages={"de": 3, "fr": 1}))
    assert "Left out, as the model does not know their language: 3 in de, 1 in fr." in left_out


def test_phrases() -> None:
    coffee = [
        scored("", text, group="coffee", must_contain=("small", "latte"))
        for text in ("a small latte", "small", "a latte small")
    ]
    markdown = to_markdown(measurement(LEFT, *coffee))
    found = sections(markdown)
    assert "**All phrases in 66.67 %**: 2 of 3 files" in markdown
    assert table(found["Phrases by set"]) == [
        ["set", "files", "heard right", "share", "95 % within"],
        ["coffee", "3", "2", "66.67 %", "0.0 to 100.0"],
    ]
    assert [row[0] for row in table(found["Words by set"])] == [
        "set",
        "calm",
        "all English",
        "total",
    ]
    assert "Text without speech, by set" not in found


def test_noise_that_was_mixed_in_makes_sets_of_its_own() -> None:
    levels = [None, 10.0, 0.0]
    rows = [scored("left", "left", group=group, snr=snr) for snr in levels for group in "ab"]
    rows.append(scored("links", "rechts", group="a", language="de", snr=0.0))
    found = sections(to_markdown(measurement(*rows)))
    names = [row[0] for row in table(found["Words by set"])]
    assert names == [
        *("set", "a", "b", "a, 10 dB", "b, 10 dB", "a, 0 dB", "b, 0 dB"),
        *("all English", "all English, 10 dB", "all English, 0 dB", "all German, 0 dB", "total"),
    ]


def test_only_what_was_measured_is_shown() -> None:
    shown = sections(to_markdown(measurement(scored("left", "left"))))
    assert list(shown) == ["", "Words by set", "Speed"]
    assert "rate" not in "".join(shown[""][1:])
    assert [row[0] for row in table(shown["Speed"])] == ["set", "test", "total"]
    silent = sections(to_markdown(measurement(scored("", ""))))
    assert list(silent) == ["", "Text without speech, by set", "Speed"]
    assert [row[0] for row in table(silent["Speed"])] == ["set", "test", "total"]
    assert "WER " not in "\n".join(silent[""]).partition("**False-text")[0]
    failed = sections(to_markdown(measurement(failures=[BROKEN])))
    assert list(failed) == ["", "Failed"]
    assert failed["Failed"] == ["", "- bad.wav is empty: copy it again"]


def test_what_is_known_of_some_is_said_of_all() -> None:
    markdown = to_markdown(
        measurement(scored("left", "left"), scored("left", "it", speaker="anna"))
    )
    rows = table(sections(markdown)["Words by speaker"])
    assert [row[0] for row in rows] == ["speaker", "anna", "(not known)", "total"]


def test_damaged_files_are_named() -> None:
    warning = "a.wav breaks off after 1.0 s: the rest is missing"
    found = sections(to_markdown(measurement(scored("left", "left", warnings=(warning,)))))
    assert found["Used, but damaged"] == ["", f"- {warning}"]


def test_worst_utterances() -> None:
    found = sections(to_markdown(measurement(*ALL), errors=2))
    assert found["Most errors"] == [
        "",
        "```",
        "false.wav: 2 errors, 0 words",
        "  said    (nobody speaks)",
        "  heard   thank you",
        "",
        "a.wav: 2 errors, 3 words",
        "  said    turn right now",
        "  heard   turn it right",
        "```",
    ]
    deaf = sections(to_markdown(measurement(STOP), errors=1))["Most errors"]
    assert deaf[2:5] == ["a.wav: 1 error, 1 words", "  said    stop", "  heard   (nothing)"]
    assert "Most errors" not in sections(to_markdown(measurement(LEFT), errors=5))


def test_gibberish_cannot_spoil_the_screen_or_the_tables() -> None:
    bad = scored("left", "\x1b[2J\x07|", group="a|b\x1b", audio="a\x1b.wav")
    markdown = to_markdown(measurement(bad), errors=1)
    assert all(line.isprintable() for line in markdown.splitlines())
    assert table(sections(markdown)["Words by set"])[1][0] == "a\\|b\N{REPLACEMENT CHARACTER}"


def document(*results: Scored, **options: Any) -> dict[str, Any]:
    text = to_json([measurement(*results, **options)])
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    assert text.endswith("}\n")
    return found


def test_json() -> None:
    found = document(*ALL, failures=[BROKEN])
    assert found["model"]["precision"] == "int8"
    assert (found["language"], found["threads"]) == ("en", 1)
    assert found["model"]["vad"]
    assert not found["model"]["padded"]
    assert found["total"] == {
        "utterances": 3,
        "words": 6,
        "substitutions": 0,
        "deletions": 2,
        "insertions": 1,
        "wer": 0.5,
        "wer_95": [0.0, 1.0],
        "right": 1,
        "phrases": {"utterances": 0, "right": 0, "rate": None, "rate_95": None},
        "no_speech": {
            "utterances": 2,
            "false_texts": 1,
            "false_text_rate": 0.5,
            "false_words": 2,
        },
        "speed": {
            "seconds": 9.0,
            "inference_time": 2.0,
            "rtf": 0.2222,
            "median_rtf": 0.25,
            "processor_time": 5.0,
            "encodes": 5,
        },
        "intents": None,
    }
    assert found["with_speech"]["speed"]["rtf"] == 0.3
    assert {name: one["wer"] for name, one in found["sets"].items()} == {
        "loud": 1.0,
        "calm": 0.4,
        "nobody": None,
    }
    assert list(found["speakers"]) == ["9", "10", ""]
    assert list(found["noise"]) == ["clean", "5 dB", "-5 dB", "hiss"]
    assert len(found["utterances"]) == len(ALL)
    assert found["utterances"][2] == {
        "audio": "a.wav",
        "set": "calm",
        "speaker": "9",
        "noise": "5 dB",
        "language": "en",
        "said": "turn right now",
        "must_contain": [],
        "heard": "turn it right",
        "has_phrases": False,
        "cut": None,
        "intent": None,
        "processor_time": 1.0,
        "contexts": [3.0],
        "counts": {"words": 3, "substitutions": 0, "deletions": 1, "insertions": 1},
        "seconds": 2.0,
        "inference_time": 0.5,
        "warnings": [],
    }
    assert found["failed"] == [
        {"audio": "bad.wav", "set": "calm", "reason": "bad.wav is empty: copy it again"}
    ]


def test_json_of_nothing() -> None:
    found = document(failures=[BROKEN], language=None)
    assert (found["total"]["wer"], found["total"]["speed"]["rtf"]) == (None, None)
    assert (found["sets"], found["speakers"], found["noise"], found["utterances"]) == (
        {},
        {},
        {},
        [],
    )
    assert found["language"] is None
