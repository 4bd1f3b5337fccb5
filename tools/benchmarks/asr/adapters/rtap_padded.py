"""Our engine when it pads everything to 30 s, as others do: what the short context is worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rtap.whisper.model_directory import ModelDirectory
from tools.benchmarks.asr.adapters import rtap_engine


class Engine(rtap_engine.Engine):
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def directory(self, weights: Path) -> ModelDirectory:
        """The model as it is used."""
        found = ModelDirectory.open(weights)
        return replace(found, manifest=replace(found.manifest, elastic="no"))
