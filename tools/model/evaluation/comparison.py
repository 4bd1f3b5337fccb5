"""Measurements of several models side by side: sets as rows, models as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.model.evaluation.bootstrap import Interval, interval_of_difference
from tools.model.evaluation.intent_report import intents_right, wrong_actions
from tools.model.evaluation.measurement import Measurement
from tools.model.evaluation.scoring import Counts, Scored, Summary
from tools.model.evaluation.tables import NO_FIGURE, line, percent, section, table, within

_Figure = Callable[[Summary], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two error rates over the same utterances."""

    rate: float
    """The one's less the other's."""
    interval: Interval | None


def differences(one: Measurement, other: Measurement) -> Mapping[str, Difference]:
    """How much higher the error rates of the first are, by pool, over what both heard."""
    found = {}
    others = other.pooled() or {_all(other): other.scored}
    for name, members in (one.pooled() or {_all(one): one.scored}).items():
        by_clip = {_clip(scored): scored for scored in others.get(name, ())}
        both = [
            (scored, by_clip[_clip(scored)])
            for scored in members
            if scored.is_speech and _clip(scored) in by_clip
        ]
        pairs = [(scored.counts.errors, scored.counts.words) for scored, _ in both]
        other_pairs = [(scored.counts.errors, scored.counts.words) for _, scored in both]
        rate, other_rate = (
            (_rate(scored) for scored in zip(*both, strict=True)) if both else (None,) * 2
        )
        if rate is not None and other_rate is not None:
            interval = interval_of_difference(pairs, other_pairs)
            found[name] = Difference(rate - other_rate, interval)
    return found


def comparison(measurements: Sequence[Measurement]) -> str:
    """One table for each kind of figure, as Markdown; ends with a newline."""
    lines = [*_head(measurements)]
    kinds: dict[str, tuple[Callable[[Summary], int], _Figure]] = {
        "Intents and slots right, by set": (_command_count, intents_right),
        "Wrong actions, for commands and without one, by set": (_judged, wrong_actions),
        "Word error rate by set": (lambda one: one.counts.words, _words),
        "All phrases heard, by set": (lambda one: one.keywords, _keywords),
        "Text without speech, by set": (lambda one: one.silent, _false_texts),
        "Processor seconds per file, by set": (lambda one: one.files, _processor),
        "Encodes per file, by set": (lambda one: one.encodes or 0, _encodes),
    }
    for title, (size, figure) in kinds.items():
        lines += section(title, _table(measurements, size, figure))
    lines += section(*_against_the_first(measurements))
    lines += section(
        "Failed",
        [
            f"- {line(one.subject.name)}: {line(failure.reason)}"
            for one in measurements
            for failure in one.failures
        ],
    )
    return "\n".join(lines) + "\n"


def _head(measurements: Sequence[Measurement]) -> Iterator[str]:
    yield "# Word error rates"
    yield ""
    yield f"    {line(measurements[0].command)}"
    yield ""
    for one in measurements:
        left_out = ", ".join(
            f"{number} in {name}" for name, number in one.unknown_languages.items()
        )
        note = f"; left out, as it does not know their language: {left_out}" if left_out else ""
        yield f"- {line(one.subject.name)}: {line(one.subject.describe())}{note}"
    yield ""
    yield (
        f"Words compared after: {measurements[0].normalizer}. In brackets, where 95 % of the draws lie when "
        f"other files of the same kind are drawn."
    )


def _table(
    measurements: Sequence[Measurement], size: Callable[[Summary], int], figure: _Figure
) -> list[str]:
    columns = [{**one.sets, **one.pools} for one in measurements]
    names = list(dict.fromkeys(name for one in measurements for name in one.sets))
    names += dict.fromkeys(name for one in measurements for name in one.pools)
    rows = {}
    for name in names:
        sizes = [size(column[name]) for column in columns if name in column]
        if any(sizes):
            figures = [
                figure(column[name]) if name in column and size(column[name]) else NO_FIGURE
                for column in columns
            ]
            rows[name] = (
                str(max(column[name].files for column in columns if name in column)),
                *figures,
            )
    return table(("set", "files", *(one.subject.name for one in measurements)), rows)


def _command_count(summary: Summary) -> int:
    return 0 if summary.intents is None else summary.intents.commands


def _judged(summary: Summary) -> int:
    return 0 if summary.intents is None else summary.intents.commands + summary.intents.others


def _words(summary: Summary) -> str:
    return f"{percent(summary.counts.error_rate)} ({within(summary.error_interval)})"


def _keywords(summary: Summary) -> str:
    return f"{percent(summary.keywords_rate)} ({within(summary.keywords_interval)})"


def _false_texts(summary: Summary) -> str:
    return f"{summary.false_texts} of {summary.silent}"


def _processor(summary: Summary) -> str:
    return f"{summary.processor_time / summary.files:.3f}"


def _encodes(summary: Summary) -> str:
    return f"{(summary.encodes or 0) / summary.files:.2f}"


def _against_the_first(measurements: Sequence[Measurement]) -> tuple[str, list[str]]:
    first, *others = measurements
    columns = {one.subject.name: differences(one, first) for one in others}
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = {name: [_points(column.get(name)) for column in columns.values()] for name in names}
    title = f"Word error rate above {line(first.subject.name)}'s, in points"
    return title, table(("language", *columns), rows)


def _points(difference: Difference | None) -> str:
    if difference is None:
        return NO_FIGURE
    points = f"{100 * difference.rate:+.2f}"
    if difference.interval is None:
        return points
    return (
        f"{points} ({100 * difference.interval.low:+.1f} to {100 * difference.interval.high:+.1f})"
    )


def _all(measurement: Measurement) -> str:
    return ", ".join(measurement.sets) or "all"


def _clip(scored: Scored) -> tuple[str, float | None]:
    return scored.heard.utterance.clip, scored.heard.utterance.snr


def _rate(scored: Sequence[Scored]) -> float | None:
    return sum((one.counts for one in scored), Counts()).error_rate
