"""What the picture shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks.asr.plot import Point, apart, draw, points

REPORT: dict[str, Any] = {
    "subject": "whisper-base (adapted), 49 recordings in 2 sets, 1 thread",
    "results": [
        {
            "name": "asr",
            "tables": [
                {
                    "title": "A command, on average",
                    "header": ["engine", "WER %", "95 % from", "processor s"],
                    "rows": [
                        ["rtap", [12.5, 10.0, 0.1]],
                        ["faster-whisper", [13.0, 10.0, 1.1]],
                        ["perfect", [0.0, 0.0, 9.0]],
                        ["onnx-asr", [None, None, None]],
                    ],
                }
            ],
        }
    ],
}


def test_what_was_not_measured_is_no_point() -> None:
    assert points(REPORT) == {
        "rtap": Point(0.1, 12.5),
        "faster-whisper": Point(1.1, 13.0),
        "perfect": Point(9.0, 0.0),
    }


def test_labels_lie_apart_in_the_order_of_their_points() -> None:
    placed = apart({"c": 11.0, "a": 3.0, "b": 10.0, "d": 100.0}, 2.0)
    assert placed == {"a": 3.0, "b": 10.0, "c": 12.0, "d": 100.0}


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None,
    reason="matplotlib is the peers' environment's: tools/benchmark asr --install --plot FILE",
)
def test_a_picture(tmp_path: Path) -> None:
    draw(REPORT, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    for name in ("one.svg", "other.svg"):
        draw(REPORT, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
