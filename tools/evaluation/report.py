"""A measurement as Markdown that also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tools.evaluation.measurement import Measurement
from tools.evaluation.scoring import Scored, Summary, worst

Row = Sequence[str]

_TOTAL = "total"
_WITH_SPEECH = "all with speech"
_UNKNOWN = "(not known)"
_NO_FIGURE = "-"

_WORDS = (
    "utterances",
    "words",
    "WER",
    "substituted",
    "deleted",
    "inserted",
    "heard right",
)
_NO_SPEECH = ("files", "with text", "false-text rate", "words")
_TIMING = (
    "Inference is the time in the model (features, encoder, decoder); loading it, reading files and "
    "finding speech are not in it. RTF is inference per audio."
)
_SPEED = ("audio", "inference", "RTF", "median RTF")


def to_markdown(measurement: Measurement, errors: int = 0) -> str:
    """The report; ends with a newline.

    Args:
        errors: how many of the worst utterances to show.
    """
    total = measurement.total
    tables = {"set": measurement.sets, "speaker": measurement.speakers, "noise": measurement.noise}
    lines = [*_head(measurement)]
    for title, groups in tables.items():
        rows = {name: _words(one) for name, one in groups.items() if one.utterances}
        lines += _section(f"Words by {title}", _table((title, *_WORDS), rows, _words(total)))
    for title in ("set", "noise"):
        rows = {name: _no_speech(one) for name, one in tables[title].items() if one.silent}
        heading = f"Text without speech, by {title}"
        lines += _section(heading, _table((title, *_NO_SPEECH), rows, _no_speech(total)))
    rows = {name: _speed(one) for name, one in measurement.sets.items()}
    if total.utterances and total.silent:
        rows[_WITH_SPEECH] = _speed(measurement.with_speech)
    lines += _section("Speed", _table(("set", *_SPEED), rows, _speed(total)))
    if rows:
        threads = "1 thread" if measurement.threads == 1 else f"{measurement.threads} threads"
        lines += ["", f"With {threads}. {_TIMING}"]
    lines += _section("Failed", _failures(measurement))
    lines += _section("Used, but damaged", _warnings(measurement))
    lines += _section("Most errors", _worst(measurement, errors))
    return "\n".join(lines) + "\n"


def _head(measurement: Measurement) -> Iterator[str]:
    manifest, total = measurement.model.manifest, measurement.total
    yield f"# Word error rate of {_line(manifest.name)}"
    yield ""
    yield f"    {_line(measurement.command)}"
    yield ""
    yield (
        f"{_line(str(measurement.model.path))}: {manifest.precision}, "
        f"{manifest.parameters / 1e6:.1f} M parameters, {manifest.bytes / 1e6:.0f} MB. "
        f"Language: {measurement.language or 'detected'}. Words compared after: {measurement.normalizer}."
    )
    if total.counts.words:
        yield ""
        yield (
            f"**WER {_percent(total.counts.error_rate)}**: {total.counts.errors} errors in "
            f"{total.counts.words} words; {total.right} of {total.utterances} utterances heard right."
        )
    if total.silent:
        yield ""
        yield (
            f"**False-text rate {_percent(total.false_text_rate)}**: text for {total.false_texts} of "
            f"{total.silent} files without speech. They are not in the WER."
        )
    if measurement.failures:
        yield ""
        yield f"**{len(measurement.failures)} failed** and are in no figure, see below."


def _words(summary: Summary) -> Row:
    counts = summary.counts
    return (
        str(summary.utterances),
        str(counts.words),
        _percent(counts.error_rate),
        str(counts.substitutions),
        str(counts.deletions),
        str(counts.insertions),
        str(summary.right),
    )


def _no_speech(summary: Summary) -> Row:
    return (
        str(summary.silent),
        str(summary.false_texts),
        _percent(summary.false_text_rate),
        str(summary.false_words),
    )


def _speed(summary: Summary) -> Row:
    return (
        f"{summary.seconds:.1f} s",
        f"{summary.inference_time:.2f} s",
        _factor(summary.rtf),
        _factor(summary.median_rtf),
    )


def _failures(measurement: Measurement) -> list[str]:
    return [f"- {_line(failure.reason)}" for failure in measurement.failures]


def _warnings(measurement: Measurement) -> list[str]:
    return [f"- {_line(text)}" for one in measurement.scored for text in one.heard.warnings]


def _worst(measurement: Measurement, number: int) -> list[str]:
    shown = [line for one in worst(measurement.scored, number) for line in _comparison(one)]
    # As code: what a model made up shall not be taken for Markdown.
    return ["```", *shown[:-1], "```"] if shown else []


def _comparison(scored: Scored) -> Iterator[str]:
    heard, counts = scored.heard, scored.counts
    errors = "1 error" if counts.errors == 1 else f"{counts.errors} errors"
    yield f"{_line(str(heard.utterance.audio))}: {errors}, {counts.words} words"
    yield f"  said    {_line(heard.utterance.text) or '(nobody speaks)'}"
    yield f"  heard   {_line(heard.text) or '(nothing)'}"
    yield ""


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _table(header: Row, rows: Mapping[str, Row], total: Row) -> list[str]:
    """The first column on the left, figures on the right; nothing without rows."""
    if not rows:
        return []
    cells = [list(header)]
    cells += [[_cell(name) or _UNKNOWN, *row] for name, row in rows.items()]
    cells.append([_TOTAL, *total])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return [_aligned(row, widths) for row in (cells[0], rule, *cells[1:])]


def _aligned(row: Row, widths: Sequence[int]) -> str:
    figures = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"| {' | '.join([row[0].ljust(widths[0]), *figures])} |"


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    """One line that cannot spoil a screen, whatever bytes a name has or a model strung together."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _percent(share: float | None) -> str:
    return _NO_FIGURE if share is None else f"{share:.2%}".replace("%", " %")


def _factor(value: float | None) -> str:
    return _NO_FIGURE if value is None else f"{value:.3f}"
