"""What was meant and what was understood, counted by hand."""

from __future__ import annotations

import pytest

from tools.model.evaluation.intent_scoring import (
    Cause,
    Judgement,
    SlotCounts,
    Verdict,
    summarize_intents,
)
from tools.model.evaluation.meaning import NOTHING, Meaning

WARM = Meaning("SetTemperature", (("temperature", 21),))
WARMER = Meaning("SetTemperature", (("temperature", 25),))
WARM_BEHIND = Meaning("SetTemperature", (("temperature", 21), ("zone", "rear")))
TIME = Meaning("AskTime")
LIGHT = Meaning("SetHeadlights", (("mode", "on"),))


def judged(
    meant: Meaning,
    understood: Meaning,
    *,
    said: Meaning | None = None,
    seconds: float = 2.0,
    asked: bool = False,
) -> Judgement:
    acts = bool(understood) and understood.intent != "AskTime"
    return Judgement(meant, meant if said is None else said, understood, acts, seconds, asked)


@pytest.mark.parametrize(
    ("meant", "understood", "verdict", "acts_wrongly"),
    [
        (WARM, WARM, Verdict.RIGHT, False),
        (WARM, WARMER, Verdict.OTHER_SLOTS, True),
        (WARM_BEHIND, WARM, Verdict.OTHER_SLOTS, True),
        (WARM, LIGHT, Verdict.OTHER_INTENT, True),
        (WARM, TIME, Verdict.OTHER_INTENT, False),
        (WARM, NOTHING, Verdict.MISSED, False),
        (NOTHING, NOTHING, Verdict.LEFT_ALONE, False),
        (NOTHING, WARM, Verdict.FALSE, True),
        (NOTHING, TIME, Verdict.FALSE, False),
    ],
)
def test_verdicts(
    meant: Meaning, understood: Meaning, verdict: Verdict, *, acts_wrongly: bool
) -> None:
    one = judged(meant, understood)
    assert (one.verdict, one.is_wrong_action) == (verdict, acts_wrongly)


@pytest.mark.parametrize(
    ("meant", "said", "understood", "cause"),
    [
        (WARM, WARM, WARM, None),
        (WARM, NOTHING, WARM, None),
        (WARM, WARM, NOTHING, Cause.HEARD_WRONG),
        (WARM, WARMER, WARMER, Cause.MATCHED_WRONG),
        (WARM, NOTHING, NOTHING, Cause.NOT_IN_GRAMMAR),
        (NOTHING, WARM, WARM, Cause.MATCHED_WRONG),
        (NOTHING, NOTHING, WARM, Cause.HEARD_WRONG),
    ],
)
def test_causes(meant: Meaning, said: Meaning, understood: Meaning, cause: Cause | None) -> None:
    assert judged(meant, understood, said=said).cause == cause


@pytest.mark.parametrize(
    ("meant", "understood", "counts"),
    [
        (WARM, WARM, SlotCounts(1)),
        (WARM, WARMER, SlotCounts(1, wrong=1)),
        (WARM_BEHIND, WARM, SlotCounts(2, missing=1)),
        (WARM, WARM_BEHIND, SlotCounts(1, added=1)),
        (WARM, LIGHT, SlotCounts()),
        (WARM, NOTHING, SlotCounts()),
        (NOTHING, WARM, SlotCounts()),
        (TIME, TIME, SlotCounts()),
    ],
)
def test_slots(meant: Meaning, understood: Meaning, counts: SlotCounts) -> None:
    assert judged(meant, understood).slots == counts


def test_a_summary_counts_commands_and_the_rest_apart() -> None:
    summary = summarize_intents(
        [
            judged(WARM, WARM),
            judged(WARM, WARMER),
            judged(TIME, LIGHT),
            judged(TIME, NOTHING),
            judged(NOTHING, NOTHING, seconds=600),
            judged(NOTHING, TIME, seconds=600),
            judged(NOTHING, LIGHT, seconds=600),
        ]
    )
    assert (summary.commands, summary.intents_right, summary.right, summary.missed) == (4, 2, 1, 1)
    assert (summary.intent_rate, summary.right_rate) == (0.5, 0.25)
    assert (summary.wrong_actions, summary.wrong_action_rate) == (2, 0.5)
    assert summary.slots == SlotCounts(2, wrong=1)
    assert summary.slot_error_rate == 0.5
    assert (summary.others, summary.other_seconds) == (3, 1_800)
    assert (summary.other_intents, summary.other_actions) == (2, 1)
    assert summary.other_actions_per_hour == 2.0
    assert summary.right_interval is not None
    assert summary.right_interval.low <= 0.25 <= summary.right_interval.high


def test_what_is_asked_first_is_not_done_wrongly() -> None:
    summary = summarize_intents(
        [
            judged(WARM, WARM, asked=True),
            judged(WARM, WARM),
            judged(WARM, LIGHT, asked=True),
            judged(NOTHING, LIGHT, asked=True),
        ]
    )
    assert (summary.right, summary.asked) == (2, 1)
    assert (summary.wrong_actions, summary.other_actions, summary.other_intents) == (0, 0, 1)


def test_without_commands_and_without_the_rest() -> None:
    nothing = summarize_intents([])
    assert (nothing.intent_rate, nothing.right_rate, nothing.right_interval) == (None, None, None)
    assert (nothing.slot_error_rate, nothing.wrong_action_rate) == (None, None)
    assert nothing.other_actions_per_hour is None
    assert summarize_intents([judged(TIME, TIME)]).slot_error_rate is None
