"""What the picture shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks.asr.plot import apart, draw, times

REPORT: dict[str, Any] = {
    "subject": "Whisper base, random weights",
    "results": [
        {
            "name": "asr-1",
            "tables": [
                {
                    "title": "Processor time in ms, median",
                    "header": ["engine", "1 s", "3 s", "30 s"],
                    "rows": [["rtap", [20.0, 50.0, 900.0]], ["onnx-asr", [None, 1000.0, 2000.0]]],
                }
            ],
        }
    ],
}


def test_what_was_not_measured_is_no_point() -> None:
    assert times(REPORT) == {
        "rtap": [(1, 20), (3, 50), (30, 900)],
        "onnx-asr": [(3, 1000), (30, 2000)],
    }


def test_labels_lie_apart_in_the_order_of_their_points() -> None:
    placed = apart({"c": 110.0, "a": 30.0, "b": 100.0, "d": 1000.0})
    assert (placed["a"], placed["b"], placed["d"]) == (30.0, 100.0, 1000.0)
    assert 115 < placed["c"] < 130


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None,
    reason="matplotlib is the peers' environment's: tools/benchmark asr --install --plot FILE",
)
def test_a_picture(tmp_path: Path) -> None:
    draw(REPORT, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
