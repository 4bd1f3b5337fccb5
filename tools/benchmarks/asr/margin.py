"""How much silence weights want after the audio in a short context; noted beside them in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

MARGIN: Final = "margin.json"


def write_margin(folder: Path, seconds: float) -> None:
    """Note it."""
    (folder / MARGIN).write_text(json.dumps({"seconds": seconds}) + "\n", encoding="utf-8")


def margin_beside(folder: Path) -> float:
    """Seconds; 0 where nothing is noted."""
    path = folder / MARGIN
    if not path.is_file():
        return 0.0
    return float(json.loads(path.read_text(encoding="utf-8"))["seconds"])
