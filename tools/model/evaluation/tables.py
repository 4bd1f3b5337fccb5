"""Tables in Markdown that also read well on a terminal, and the figures in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.model.evaluation.bootstrap import Interval

Row = Sequence[str]

NO_FIGURE = "-"
_UNKNOWN = "(not known)"


def table(header: Row, rows: Mapping[str, Row]) -> list[str]:
    """The first column on the left, figures on the right; nothing without rows."""
    if not rows:
        return []
    cells = [[cell(name) for name in header]]
    cells += [[cell(name) or _UNKNOWN, *row] for name, row in rows.items()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return [_aligned(row, widths) for row in (cells[0], rule, *cells[1:])]


def _aligned(row: Row, widths: Sequence[int]) -> str:
    figures = (text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
    return f"| {' | '.join([row[0].ljust(widths[0]), *figures])} |"


def section(title: str, lines: Sequence[str]) -> list[str]:
    """A heading and what is below it; nothing without lines."""
    return ["", f"## {title}", "", *lines] if lines else []


def cell(text: str) -> str:
    """Text that cannot be taken for the border of a table."""
    return line(text).replace("|", "\\|")


def line(text: str) -> str:
    """One line that cannot spoil a screen, whatever bytes a name has or a model strung together."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def percent(share: float | None) -> str:
    """With two decimals."""
    return NO_FIGURE if share is None else f"{share:.2%}".replace("%", " %")


def within(interval: Interval | None) -> str:
    """Both ends in percent, with one decimal."""
    return (
        NO_FIGURE
        if interval is None
        else f"{interval.low:.1%} to {interval.high:.1%}".replace("%", "")
    )


def number(value: float | None) -> str:
    """With one decimal."""
    return NO_FIGURE if value is None else f"{value:.1f}"


def factor(value: float | None) -> str:
    """With three decimals."""
    return NO_FIGURE if value is None else f"{value:.3f}"
