"""A measurement as Markdown that also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tools.model.evaluation.intent_report import (
    actions_without_command,
    intent_head,
    intent_sections,
    not_right,
)
from tools.model.evaluation.measurement import Measurement
from tools.model.evaluation.scoring import Scored, Summary, worst
from tools.model.evaluation.tables import (
    NO_FIGURE,
    Row,
    factor,
    line,
    percent,
    section,
    table,
    within,
)

_TOTAL = "total"
_WITH_SPEECH = "all with speech"

_WORDS = (
    "utterances",
    "words",
    "WER",
    "95 % within",
    "substituted",
    "deleted",
    "inserted",
    "heard right",
)
_KEYWORDS = ("files", "heard right", "share", "95 % within")
_NO_SPEECH = ("files", "with text", "false-text rate", "words")
_TIMING = (
    "Inference is the time in the model (features, encoder, decoder); loading it, reading files and "
    "finding speech are not in it. Processor is the time of all threads, with reading files and finding "
    "speech. RTF is inference per audio."
)
_SPEED = ("audio", "inference", "RTF", "median RTF", "processor", "per file", "encodes per file")


def to_markdown(measurement: Measurement, errors: int = 0) -> str:
    """The report; ends with a newline.

    Args:
        errors: how many of the worst utterances to show.
    """
    lines = [
        *_head(measurement),
        *intent_sections(measurement),
        *_accuracy(measurement),
        *_speed_section(measurement),
    ]
    failures = [f"- {line(failure.reason)}" for failure in measurement.failures]
    warnings = [f"- {line(text)}" for one in measurement.scored for text in one.heard.warnings]
    lines += section("Failed", failures)
    lines += section("Used, but damaged", warnings)
    lines += section("Done without a command", actions_without_command(measurement))
    lines += section("Not understood as meant", not_right(measurement, errors))
    lines += section("Most errors", _worst(measurement, errors))
    return "\n".join(lines) + "\n"


def _accuracy(measurement: Measurement) -> Iterator[str]:
    total = measurement.total
    tables = {"set": measurement.sets, "speaker": measurement.speakers, "noise": measurement.noise}
    for title, groups in tables.items():
        rows = {name: _words(one) for name, one in groups.items() if one.utterances}
        if title == "set":
            rows |= {name: _words(one) for name, one in measurement.pools.items()}
        rows |= {_TOTAL: _words(total)} if rows else {}
        yield from section(f"Words by {title}", table((title, *_WORDS), rows))
    rows = {name: _keywords(one) for name, one in tables["set"].items() if one.keywords}
    yield from section("Phrases by set", table(("set", *_KEYWORDS), rows))
    for title in ("set", "noise"):
        rows = {name: _no_speech(one) for name, one in tables[title].items() if one.silent}
        rows |= {_TOTAL: _no_speech(total)} if rows else {}
        heading = f"Text without speech, by {title}"
        yield from section(heading, table((title, *_NO_SPEECH), rows))


def _speed_section(measurement: Measurement) -> Iterator[str]:
    rows = {name: _speed(one) for name, one in measurement.sets.items()}
    if not rows:
        return
    total = measurement.total
    if total.utterances and total.silent:
        rows[_WITH_SPEECH] = _speed(measurement.with_speech)
    rows[_TOTAL] = _speed(total)
    yield from section("Speed", table(("set", *_SPEED), rows))
    threads = "1 thread" if measurement.threads == 1 else f"{measurement.threads} threads"
    yield ""
    yield f"With {threads}. {_TIMING}"


def _head(measurement: Measurement) -> Iterator[str]:
    total = measurement.total
    yield f"# Word error rate of {line(measurement.subject.name)}"
    yield ""
    yield f"    {line(measurement.command)}"
    yield ""
    yield (
        f"{line(measurement.subject.describe())}. Language: {_languages(measurement)}. "
        f"Words compared after: {measurement.normalizer}."
    )
    if total.counts.words:
        yield ""
        yield (
            f"**WER {percent(total.counts.error_rate)}** (95 % within {within(total.error_interval)}): "
            f"{total.counts.errors} errors in {total.counts.words} words; {total.right} of "
            f"{total.utterances} utterances heard right."
        )
    if total.keywords:
        yield ""
        yield (
            f"**All phrases in {percent(total.keywords_rate)}**: {total.keywords_right} of {total.keywords} "
            f"files of which only phrases are known. They are not in the WER."
        )
    if total.silent:
        yield ""
        yield (
            f"**False-text rate {percent(total.false_text_rate)}**: text for {total.false_texts} of "
            f"{total.silent} files without speech. They are not in the WER."
        )
    yield from intent_head(measurement)
    yield from _gaps(measurement)


def _gaps(measurement: Measurement) -> Iterator[str]:
    if measurement.unknown_languages:
        left_out = ", ".join(f"{n} in {name}" for name, n in measurement.unknown_languages.items())
        yield ""
        yield f"Left out, as the model does not know their language: {left_out}."
    if measurement.failures:
        yield ""
        yield f"**{len(measurement.failures)} failed** and are in no figure, see below."


def _languages(measurement: Measurement) -> str:
    if measurement.language is None:
        return "detected"
    return ", ".join(measurement.languages) or measurement.language


def _words(summary: Summary) -> Row:
    counts = summary.counts
    return (
        str(summary.utterances),
        str(counts.words),
        percent(counts.error_rate),
        within(summary.error_interval),
        str(counts.substitutions),
        str(counts.deletions),
        str(counts.insertions),
        str(summary.right),
    )


def _keywords(summary: Summary) -> Row:
    return (
        str(summary.keywords),
        str(summary.keywords_right),
        percent(summary.keywords_rate),
        within(summary.keywords_interval),
    )


def _no_speech(summary: Summary) -> Row:
    return (
        str(summary.silent),
        str(summary.false_texts),
        percent(summary.false_text_rate),
        str(summary.false_words),
    )


def _speed(summary: Summary) -> Row:
    encodes = NO_FIGURE if summary.encodes is None else f"{summary.encodes / summary.files:.2f}"
    return (
        f"{summary.seconds:.1f} s",
        f"{summary.inference_time:.2f} s",
        factor(summary.rtf),
        factor(summary.median_rtf),
        f"{summary.processor_time:.2f} s",
        f"{summary.processor_time / summary.files:.3f} s",
        encodes,
    )


def _worst(measurement: Measurement, number: int) -> list[str]:
    shown = [text for one in worst(measurement.scored, number) for text in _comparison(one)]
    # As code: what a model made up shall not be taken for Markdown.
    return ["```", *shown[:-1], "```"] if shown else []


def _comparison(scored: Scored) -> Iterator[str]:
    heard, counts = scored.heard, scored.counts
    errors = "1 error" if counts.errors == 1 else f"{counts.errors} errors"
    yield f"{line(str(heard.utterance.audio))}: {errors}, {counts.words} words"
    yield f"  said    {line(heard.utterance.text) or '(nobody speaks)'}"
    yield f"  heard   {line(heard.text) or '(nothing)'}"
    yield ""
