"""What the picture shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks.asr.plot import draw, times

REPORT: dict[str, Any] = {
    "subject": "Whisper base, random weights",
    "results": [
        {
            "tables": [
                {
                    "title": "Processor time in ms, median",
                    "header": ["engine", "1 s", "3 s", "30 s"],
                    "rows": [["rtap", [20.0, 50.0, 900.0]], ["onnx-asr", [None, 1000.0, 2000.0]]],
                }
            ]
        }
    ],
}


def test_what_was_not_measured_is_no_point() -> None:
    assert times(REPORT) == {
        "rtap": [(1, 20), (3, 50), (30, 900)],
        "onnx-asr": [(3, 1000), (30, 2000)],
    }


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None,
    reason="matplotlib is the peers' environment's: tools/benchmark asr --install --plot FILE",
)
def test_a_picture(tmp_path: Path) -> None:
    draw(REPORT, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
