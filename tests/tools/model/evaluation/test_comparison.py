"""Several models side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tools.model.evaluation.measurements import measurement, scored
from tests.tools.model.evaluation.test_report import sections, table
from tools.model.evaluation.comparison import comparison, differences
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.document import to_json
from tools.model.evaluation.measurement import Measurement
from tools.model.evaluation.recognition import Failure

GOOD = [
    scored("turn left", "turn left", group="car", audio="a.wav"),
    scored("stop", "stop", group="boat", audio="a.wav", contexts=(3.0, 30.0), processor_time=2.0),
    scored("links", "links", group="car", audio="d.wav", language="de"),
    scored("", "a small latte", group="coffee", must_contain=("small", "latte")),
    scored("", "", group="music"),
]
BAD = [
    scored("turn left", "turn right", group="car", audio="a.wav", contexts=None),
    scored("stop", "stop", group="boat", audio="a.wav", contexts=None),
    scored("", "latte", group="coffee", must_contain=("small", "latte"), contexts=None),
    scored("", "thank you", group="music", contexts=None),
]


@pytest.fixture
def both() -> list[Measurement]:
    return [
        measurement(*GOOD, name="good"),
        measurement(*BAD, name="bad", unknown_languages={"de": 1}),
    ]


def test_tables(both: list[Measurement]) -> None:
    found = sections(comparison(both))
    assert table(found["Word error rate by set"]) == [
        ["set", "files", "good", "bad"],
        ["car", "2", "0.00 % (0.0 to 0.0)", "50.00 % (50.0 to 50.0)"],
        ["boat", "1", "0.00 % (0.0 to 0.0)", "0.00 % (0.0 to 0.0)"],
        ["all English", "2", "0.00 % (0.0 to 0.0)", "33.33 % (0.0 to 50.0)"],
        ["all German", "1", "0.00 % (0.0 to 0.0)", "-"],
    ]
    assert table(found["All phrases heard, by set"])[1:] == [
        ["coffee", "1", "100.00 % (100.0 to 100.0)", "0.00 % (0.0 to 0.0)"]
    ]
    assert table(found["Text without speech, by set"])[1:] == [["music", "1", "0 of 1", "1 of 1"]]
    assert table(found["Processor seconds per file, by set"])[2] == ["boat", "1", "2.000", "1.000"]
    assert table(found["Encodes per file, by set"])[2] == ["boat", "1", "2.00", "-"]
    assert table(found["Word error rate above good's, in points"]) == [
        ["language", "bad"],
        ["all English", "+33.33 (+0.0 to +50.0)"],
    ]
    head = "\n".join(found[""])
    assert "- bad: models/small: int8" in head
    assert "does not know their language: 1 in de" in head
    assert "Failed" not in found


def test_failures_are_named_with_their_model(both: list[Measurement]) -> None:
    broken = Failure(Utterance(Path("c.wav"), "hello", "car"), "c.wav is empty: copy it again")
    other = measurement(*BAD, name="bad", failures=[broken])
    assert sections(comparison([both[0], other]))["Failed"] == [
        "",
        "- bad: c.wav is empty: copy it again",
    ]


def test_a_difference_is_over_what_both_heard() -> None:
    one = measurement(*GOOD, name="one")
    more = [*GOOD[:2], scored("right", "wrong", group="car", audio="z.wav")]
    found = differences(measurement(*more, name="other"), one)
    assert found["all English"].rate == 0.0


def test_one_set_alone_is_compared_too() -> None:
    one, other = measurement(GOOD[0], name="one"), measurement(BAD[0], name="other")
    assert {name: found.rate for name, found in differences(other, one).items()} == {"car": 0.5}


def test_json(both: list[Measurement]) -> None:
    document = json.loads(to_json(both))
    assert [one["model"]["name"] for one in document["models"]] == ["good", "bad"]
    assert document["models"][1]["unknown_languages"] == {"de": 1}
    assert document["above_the_first"]["bad"]["all English"]["wer"] == pytest.approx(
        1 / 3, abs=1e-6
    )
