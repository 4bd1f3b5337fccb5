"""The compiled screen for the reference image, compiled anew only when its sources have changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tools.gui.arm64_build import INSTALLED, PROGRAM, RECIPE, build_for_arm64
from tools.process.folder_lock import locked

_STAMP: Final = "gui/sources.sha256"


def compiled_gui(cache: Path) -> Path:
    """The root that the GUI is installed into.

    Args:
        cache: that of ``build_for_arm64``.

    Raises:
        ConfigurationError: tools/image_check, or another like this, compiles there already.
    """
    key = _sources_digest()
    stamp = cache / _STAMP
    if stamp.is_file() and stamp.read_text() == key and (cache / INSTALLED / PROGRAM).is_file():
        return cache / INSTALLED
    # tools/image_check builds there under the same lock.
    with locked(cache):
        stamp.unlink(missing_ok=True)
        gui = build_for_arm64(cache, cache / "logs")
        stamp.write_text(key)
    return gui.installed


def _sources_digest() -> str:
    digest = hashlib.sha256()
    sources = [*RECIPE.glob("*.bb"), *(RECIPE / "files/gui").rglob("*")]
    for file in sorted(one for one in sources if one.is_file()):
        digest.update(str(file.relative_to(RECIPE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
