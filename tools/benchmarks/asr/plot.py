"""A picture of what :mod:`tools.benchmarks.asr` measured: processor time over the length of the audio.

Started as ``python -m tools.benchmarks.asr.plot REPORT.json PICTURE.png`` with the peers' Python, which has
matplotlib.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_OURS: Final = "rtap"
_FAINT: Final = "#7a8699"
_STRONG: Final = "#004e5a"
"""The product's own colour."""
_INCHES: Final = (8.0, 4.5)
_DOTS_PER_INCH: Final = 120
_TICKS: Final = (30, 100, 300, 1000, 3000)
_LABEL_HEIGHT: Final = 1.2
"""Of the axis, as a factor."""


def times(report: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Seconds of audio and milliseconds of processor time, by engine, of the first number of threads."""
    table = report["results"][0]["tables"][0]
    lengths = [float(column.removesuffix(" s")) for column in table["header"][1:]]
    return {
        name: [
            (length, value)
            for length, value in zip(lengths, values, strict=True)
            if value is not None
        ]
        for name, values in table["rows"]
    }


def draw(report: dict[str, Any], picture: Path) -> None:
    """Save the picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    engines = times(report)
    figure, axes = plt.subplots(figsize=_INCHES, layout="constrained")
    heights = apart({name: points[0][1] for name, points in engines.items() if points})
    for name, points in engines.items():
        if not points:
            continue
        is_ours = name == _OURS
        color = _STRONG if is_ours else _FAINT
        xs, ys = zip(*points, strict=True)
        width = 2.5 if is_ours else 1.2
        axes.plot(
            xs, ys, marker="o", markersize=4, linewidth=width, color=color, zorder=2 + is_ours
        )
        place = (xs[0] * 0.93, heights[name])
        axes.annotate(name, place, ha="right", va="center", color=color)
    axes.set(xscale="log", yscale="log", xlabel="audio, s", ylabel="processor time, ms")
    lengths = sorted({x for points in engines.values() for x, _ in points})
    axes.set_xticks(lengths, [f"{length:g}" for length in lengths])
    axes.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.minorticks_off()
    axes.set_xlim(lengths[0] * 0.4, lengths[-1] * 1.15)
    axes.grid(visible=True, alpha=0.3)
    threads = report["results"][0]["name"].rpartition("-")[2]
    axes.set_title(f"{report['subject']}, threads: {threads}", fontsize=10)
    figure.savefig(picture, dpi=_DOTS_PER_INCH)


def apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Where labels go on a logarithmic axis so that none lies on another: at their points or above them."""
    placed: dict[str, float] = {}
    lowest = 0.0
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(height, lowest)
        lowest = placed[name] * _LABEL_HEIGHT
    return placed


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
