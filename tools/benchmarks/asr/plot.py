"""A picture of what :mod:`tools.benchmarks.asr` measured: processor time over the length of the audio.

Started as ``python -m tools.benchmarks.asr.plot REPORT.json PICTURE.png`` with the peers' Python, which has
matplotlib.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

_OURS: Final = "rtap"
_FAINT: Final = "#7a8699"
_STRONG: Final = "#004e5a"
"""The product's own colour."""
_INCHES: Final = (8.0, 4.5)
_DOTS_PER_INCH: Final = 120


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

    figure, axes = plt.subplots(figsize=_INCHES, layout="constrained")
    for name, points in times(report).items():
        is_ours = name == _OURS
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            marker="o",
            markersize=4,
            linewidth=2.5 if is_ours else 1.2,
            color=_STRONG if is_ours else _FAINT,
            zorder=3 if is_ours else 2,
        )
        x, y = points[-1]
        axes.annotate(f" {name}", (x, y), va="center", color=_STRONG if is_ours else _FAINT)
    axes.set(xscale="log", yscale="log", xlabel="audio, s", ylabel="processor time, ms")
    ticks = sorted({x for points in times(report).values() for x, _ in points})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(ticks[0] * 0.85, ticks[-1] * 2.6)
    axes.grid(visible=True, alpha=0.3)
    axes.set_title(report["subject"], fontsize=10)
    figure.savefig(picture, dpi=_DOTS_PER_INCH)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
