"""What was understood, as sections of the Markdown report and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tools.model.evaluation.bootstrap import Interval
from tools.model.evaluation.intent_scoring import IntentSummary, Judgement
from tools.model.evaluation.measurement import Measurement
from tools.model.evaluation.scoring import Scored, Summary
from tools.model.evaluation.tables import (
    NO_FIGURE,
    Row,
    line,
    number,
    percent,
    section,
    table,
    within,
)

_TOTAL = "total"
_COMMANDS = (
    "commands",
    "intent right",
    "95 % within",
    "intent and slots right",
    "95 % within",
    "sentence right",
    "slots",
    "slot errors",
    "asked first",
    "missed",
    "wrong actions",
    "share",
)
_OTHERS = ("files", "hours", "understood", "wrong actions", "per hour")


def intent_head(measurement: Measurement) -> Iterator[str]:
    """What to read first; nothing where nobody asked for intents."""
    total = measurement.total.intents
    if total is None:
        return
    yield ""
    if total.commands:
        yield (
            f"**Intents right {percent(total.intent_rate)}**, with slots {percent(total.right_rate)} "
            f"(95 % within {within(total.right_interval)}): {total.right} of {total.commands} commands; "
            f"wrong actions for {total.wrong_actions} ({percent(total.wrong_action_rate)})."
        )
    if total.others:
        yield (
            f"**{total.other_actions} wrong actions in {_hours(total)} h without a command**, "
            f"{number(total.other_actions_per_hour)} per hour."
        )
    yield f"Understood with the sentences of {line(measurement.grammar)}."
    unknown = sum(one.judgement is None for one in measurement.scored)
    if unknown:
        yield f"{unknown} files are in languages without sentences, and in none of these figures."


def intent_sections(measurement: Measurement) -> Iterator[str]:
    """Tables by set, speaker and noise."""
    tables = {"set": measurement.sets, "speaker": measurement.speakers, "noise": measurement.noise}
    total = measurement.total
    for title, groups in tables.items():
        rows = {name: row for name, one in groups.items() if (row := _commands(one))}
        if rows and (row := _commands(total)):
            rows[_TOTAL] = row
        yield from section(f"Intents by {title}", table((title, *_COMMANDS), rows))
    rows = {name: row for name, one in measurement.sets.items() if (row := _others(one))}
    if rows and (row := _others(total)):
        rows[_TOTAL] = row
    yield from section("Wrong actions without a command, by set", table(("set", *_OTHERS), rows))


def actions_without_command(measurement: Measurement) -> list[str]:
    """All that was done without a command, with the file and the words: some of them may have been said."""
    found = [
        text
        for one in measurement.scored
        if one.judgement is not None and not one.judgement.meant and one.judgement.is_wrong_action
        for text in _compared(one)
    ]
    return ["```", *found, "```"] if found else []


def not_right(measurement: Measurement, number_of_each: int) -> list[str]:
    """What was not understood as it was meant, so many for each reason."""
    shown: dict[str, list[Scored]] = {}
    for one in measurement.scored:
        if one.judgement is not None and one.judgement.cause is not None:
            shown.setdefault(one.judgement.cause.value, []).append(one)
    lines = []
    for cause, members in sorted(shown.items()):
        lines.append(f"{cause}: {len(members)}")
        for one in members[:number_of_each]:
            lines += _compared(one)
        lines.append("")
    # As code: what a model made up shall not be taken for Markdown.
    return ["```", *lines[:-1], "```"] if lines and number_of_each else []


def intents_to_json(summary: IntentSummary | None) -> dict[str, Any] | None:
    """Figures of a group; None where nothing was judged."""
    if summary is None:
        return None
    return {
        "commands": summary.commands,
        "intents_right": summary.intents_right,
        "intent_rate": _rounded(summary.intent_rate),
        "intent_rate_95": _ends(summary.intents_interval),
        "right": summary.right,
        "right_rate": _rounded(summary.right_rate),
        "right_rate_95": _ends(summary.right_interval),
        "asked_first": summary.asked,
        "missed": summary.missed,
        "wrong_actions": summary.wrong_actions,
        "wrong_action_rate": _rounded(summary.wrong_action_rate),
        "slots": {
            "meant": summary.slots.meant,
            "wrong": summary.slots.wrong,
            "missing": summary.slots.missing,
            "added": summary.slots.added,
            "error_rate": _rounded(summary.slot_error_rate),
        },
        "no_command": {
            "files": summary.others,
            "seconds": round(summary.other_seconds, 3),
            "understood": summary.other_intents,
            "wrong_actions": summary.other_actions,
            "wrong_actions_per_hour": _rounded(summary.other_actions_per_hour),
        },
    }


def judgement_to_json(judgement: Judgement | None) -> dict[str, Any] | None:
    """What became of one utterance; None where it was not judged."""
    if judgement is None:
        return None
    return {
        "verdict": judgement.verdict.value,
        "cause": None if judgement.cause is None else judgement.cause.value,
        "acts": judgement.acts,
        "asked_first": judgement.is_asked,
        **{
            name: {"intent": meaning.intent, "slots": dict(meaning.slots)}
            for name, meaning in (
                ("meant", judgement.meant),
                ("said", judgement.said),
                ("understood", judgement.understood),
            )
        },
    }


def intents_right(summary: Summary) -> str:
    """For a comparison: intents and slots."""
    found = summary.intents
    return (
        NO_FIGURE
        if found is None
        else f"{percent(found.right_rate)} ({within(found.right_interval)})"
    )


def wrong_actions(summary: Summary) -> str:
    """For a comparison: in commands, and in what is none."""
    found = summary.intents
    return NO_FIGURE if found is None else f"{found.wrong_actions} + {found.other_actions}"


def _commands(summary: Summary) -> Row:
    found = summary.intents
    if found is None or not found.commands:
        return ()
    return (
        str(found.commands),
        percent(found.intent_rate),
        within(found.intents_interval),
        percent(found.right_rate),
        within(found.right_interval),
        percent(summary.right / summary.utterances if summary.utterances else None),
        str(found.slots.meant),
        str(found.slots.errors),
        str(found.asked),
        str(found.missed),
        str(found.wrong_actions),
        percent(found.wrong_action_rate),
    )


def _others(summary: Summary) -> Row:
    found = summary.intents
    if found is None or not found.others:
        return ()
    return (
        str(found.others),
        _hours(found),
        str(found.other_intents),
        str(found.other_actions),
        number(found.other_actions_per_hour),
    )


def _hours(summary: IntentSummary) -> str:
    return f"{summary.other_seconds / 3_600:.3f}"


def _compared(scored: Scored) -> Sequence[str]:
    judgement, heard = scored.judgement, scored.heard
    assert judgement is not None
    utterance = heard.utterance
    said = utterance.text or " ... ".join(utterance.must_contain)
    speaker = f", {line(utterance.speaker)}" if utterance.speaker else ""
    noise = f", {line(utterance.noise)}" if utterance.noise else ""
    acts = ", acts" if judgement.is_wrong_action else ""
    return (
        f"  {line(utterance.clip)}{speaker}{noise}{acts}",
        f"    said        {line(said) or '(nobody speaks)'}",
        f"    heard       {line(heard.text) or '(nothing)'}",
        f"    meant       {line(str(judgement.meant))}",
        f"    understood  {line(str(judgement.understood))}",
    )


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 6), round(interval.high, 6)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
