"""A picture of what :mod:`tools.benchmarks.asr` measured: word errors over processor time per command.

Started as ``python -m tools.benchmarks.asr.plot REPORT.json PICTURE`` with the peers' Python, which has
matplotlib; the picture's ending says whether it is SVG or PNG.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

_OURS: Final = "rtap"
_FAINT: Final = "#7a8699"
_STRONG: Final = "#004e5a"
"""The product's own colour."""
_INCHES: Final = (8.0, 4.5)
_DOTS_PER_INCH: Final = 120
_TICKS: Final = (0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5)
_LABEL_HEIGHT: Final = 0.06
"""As a share of the axis."""
_SEED: Final = "rtap"
"""Of the names inside an SVG, which else are other ones every time."""


class Point(NamedTuple):
    """An engine in the picture."""

    seconds: float
    """Of processor, per command."""
    errors: float
    """Percent of the words."""


def points(report: dict[str, Any]) -> dict[str, Point]:
    """By engine, of those that were measured."""
    table = report["results"][0]["tables"][0]
    columns = table["header"][1:]
    found = {}
    for name, values in table["rows"]:
        row = dict(zip(columns, values, strict=True))
        if row["WER %"] is not None and row["processor s"]:
            found[name] = Point(row["processor s"], row["WER %"])
    return found


def draw(report: dict[str, Any], picture: Path) -> None:
    """Save the picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = _SEED
    from matplotlib import pyplot as plt

    engines = points(report)
    figure, axes = plt.subplots(figsize=_INCHES, layout="constrained")
    highest = max((one.errors for one in engines.values()), default=1.0) * 1.1 or 1.0
    heights = apart({name: one.errors for name, one in engines.items()}, highest * _LABEL_HEIGHT)
    for name, one in engines.items():
        is_ours = name == _OURS
        color = _STRONG if is_ours else _FAINT
        axes.plot(
            one.seconds,
            one.errors,
            marker="o",
            markersize=9 if is_ours else 5,
            color=color,
            zorder=2 + is_ours,
        )
        weight = "bold" if is_ours else "normal"
        place = (one.seconds * 1.06, heights[name])
        axes.annotate(name, place, ha="left", va="center", color=color, weight=weight)
    axes.set(xscale="log", xlabel="processor time per command, s", ylabel="word error rate, %")
    spent = [one.seconds for one in engines.values()] or [0.1, 1.0]
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.minorticks_off()
    axes.set_xlim(min(spent) * 0.8, max(spent) * 1.9)
    # A label's height more, or the upper half of the highest lies outside.
    axes.set_ylim(0, max([highest, *heights.values()]) + highest * _LABEL_HEIGHT)
    axes.grid(visible=True, alpha=0.3)
    axes.set_title(report["subject"], fontsize=9)
    # Without a date, so that the same figures give the same file.
    metadata = {"Date": None} if picture.suffix.lower() == ".svg" else {}
    figure.savefig(picture, dpi=_DOTS_PER_INCH, metadata=metadata)


def apart(heights: Mapping[str, float], step: float) -> dict[str, float]:
    """Where labels go so that none lies on another: at their points or above them."""
    placed: dict[str, float] = {}
    lowest = float("-inf")
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(height, lowest)
        lowest = placed[name] + step
    return placed


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
