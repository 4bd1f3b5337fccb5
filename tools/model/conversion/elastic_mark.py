"""The file beside a checkpoint's weights that says how it takes audio shorter than 30 s, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

from rtap.errors import ModelError
from rtap.whisper.model_directory import MAX_MARGIN_SECONDS, Elastic
from tools.model.conversion.checkpoint import Checkpoint

MARK: Final = "elastic.json"
ADAPTED_MARGIN: Final = 0.5
"""Seconds of silence after the audio that adapted weights are trained with and get from the engine."""
_STOCK: Final[Elastic] = "guarded"


def write_mark(directory: Path, elastic: Elastic, record: Mapping[str, Any]) -> None:
    """Write the mark and the figures that it rests on."""
    text = json.dumps({"elastic": elastic, **record}, indent=2, ensure_ascii=False) + "\n"
    (directory / MARK).write_text(text, encoding="utf-8")


def elastic_of(checkpoint: Checkpoint) -> Elastic:
    """What its adapter or the mark says; "guarded" without both, as all are that were trained on 30 s.

    Raises:
        ModelError: the mark is damaged.
    """
    if checkpoint.adapter is not None:
        return checkpoint.adapter.elastic
    mark = _read_mark(checkpoint)
    if mark is None:
        return _STOCK
    found = mark.get("elastic")
    if found not in get_args(Elastic) or found == "no":
        raise ModelError(
            f"{checkpoint.path / MARK} says {found!r}, native or guarded are possible: "
            f"run tools/adapt_elastic again, or remove the file"
        )
    return cast("Elastic", found)


def margin_of(checkpoint: Checkpoint) -> float:
    """Seconds of silence that the contexts of a "native" checkpoint get after the audio.

    Raises:
        ModelError: the mark is damaged.
    """
    if checkpoint.adapter is not None:
        return checkpoint.adapter.margin
    mark = _read_mark(checkpoint)
    if mark is None:
        return 0.0
    found = mark.get("margin", 0.0)
    if not isinstance(found, int | float) or not 0 <= found <= MAX_MARGIN_SECONDS:
        raise ModelError(
            f"{checkpoint.path / MARK} says a margin of {found!r}, possible are 0 to {MAX_MARGIN_SECONDS:g}: "
            f"run tools/adapt_elastic again, or remove the file"
        )
    return float(found)


def _read_mark(checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    return checkpoint.read_json(MARK) if (checkpoint.path / MARK).is_file() else None
