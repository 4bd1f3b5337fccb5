"""A checkpoint's model in the models directory: fetched, converted and quantised where it is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rtap.errors import ModelError
from rtap.whisper.model_directory import Manifest, ModelDirectory, Precision
from rtap.whisper.model_store import ModelStore
from tools.model.conversion.adapter import Adapter
from tools.model.conversion.convert import convert
from tools.model.conversion.project_adapters import ADAPTERS, adapter_for
from tools.model.conversion.quantize import quantize
from tools.model.conversion.sources import open_checkpoint

DEFAULT_CHECKPOINT: Final = "openai/whisper-base"


def ensure_model(
    source: str = DEFAULT_CHECKPOINT,
    precision: Precision = "int8",
    *,
    models: Path | None = None,
    adapters: Path = ADAPTERS,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """The directory of a checkpoint's model, made unless it is there.

    Args:
        source: checkpoint directory, or a name such as openai/whisper-base.
        models: where models are; None is the models directory of this user.
        adapters: where the project's adapters are.

    Raises:
        ModelError: the checkpoint cannot be had, or not be read.
        StorageError: the disk is full, or another run makes the same.
    """
    place = models or ModelStore.from_environment(os.environ).models_dir
    name = source.rstrip("/").rsplit("/", 1)[-1]
    full = place / name
    output = full if precision == "fp32" else place / f"{name}-{precision}"
    if _is_made(output, source, adapters):
        return output
    # Hidden, as no store lists it, and gone in the end; where a run was killed the next one goes on with it.
    passing = place / f".{name}-fp32"
    if precision == "fp32":
        _convert(source, full, adapters, on_progress)
        return output
    if not _is_made(full, source, adapters):
        full = passing
        if not _is_made(full, source, adapters):
            _convert(source, full, adapters, on_progress)
    replace = output.exists()
    quantize(ModelDirectory.open(full), output, precision, replace=replace, on_progress=on_progress)
    shutil.rmtree(passing, ignore_errors=True)
    return output


def _convert(source: str, output: Path, adapters: Path, on_progress: Callable[[str], None]) -> None:
    checkpoint = open_checkpoint(source)
    if adapter := adapter_for(checkpoint, adapters):
        checkpoint = checkpoint.adapted(adapter)
    convert(checkpoint, output, replace=output.exists(), on_progress=on_progress)


def _is_made(path: Path, source: str, adapters: Path) -> bool:
    """Whether a model is there, whole by the sizes of its files, and of today's adapter."""
    try:
        manifest = ModelDirectory.open(path).manifest
    except ModelError:
        return False
    return _is_current(manifest, source, adapters)


def _is_current(manifest: Manifest, source: str, adapters: Path) -> bool:
    """Whether a model was made with the adapter that the project has for its weights today.

    By their names: what a directory holds is not read for this.
    """
    read = (Adapter.read(path) for path in adapters.glob("*.safetensors"))
    project = {adapter.source: adapter.sha256 for adapter in read}
    return source not in project or manifest.adapter.get("sha256") == project[source]
