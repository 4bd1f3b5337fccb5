"""The adapters that come with the project; they are merged without being asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tools.model.conversion.adapter import Adapter
from tools.model.conversion.checkpoint import Checkpoint

ADAPTERS: Final = Path(__file__).parent / "adapters"


def adapter_for(checkpoint: Checkpoint, folder: Path = ADAPTERS) -> Adapter | None:
    """The project's adapter for a checkpoint, if it has one.

    Raises:
        ModelError: an adapter of the project is damaged.
    """
    shapes = checkpoint.shapes()
    found = [Adapter.read(path) for path in sorted(folder.glob("*.safetensors"))]
    fitting = [adapter for adapter in found if adapter.fits(shapes)]
    if not fitting:
        return None  # without reading all weights for the digest
    digest = checkpoint.digest
    return next((adapter for adapter in fitting if adapter.checkpoint == digest), None)
