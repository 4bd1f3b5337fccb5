"""The model inside the container: the bundled one, which others are mounted over, or a converted one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from rtap.errors import ModelError
from rtap.whisper.model_directory import MANIFEST_NAME, ModelDirectory
from rtap.whisper.model_store import BUNDLED_MODEL

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def open_model(root: Path, chosen: Path | None) -> ModelDirectory:
    """The bundled model, or the chosen one, with the SHA-256 of every file checked.

    Raises:
        ModelError: it is missing, damaged, or has a name that is no name of a folder.
    """
    model = ModelDirectory.open(chosen or root / "backend/rtap/models" / BUNDLED_MODEL)
    if not _NAME.fullmatch(model.manifest.name):
        raise ModelError(
            f"{model.path} is called {model.manifest.name!r} in its {MANIFEST_NAME}: "
            "convert it again with a name of letters, digits, dots and dashes"
        )
    model.verify()
    return model


def copy_model(model: ModelDirectory, models: Path) -> None:
    """Copy what the manifest lists, and the manifest, into ``models/NAME``."""
    place = models / model.manifest.name
    for name in (MANIFEST_NAME, *model.manifest.files):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model.path / name, target)
