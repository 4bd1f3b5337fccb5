"""The compiled screen for the reference image, compiled anew only when its sources have changed."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.gui_screens.arm64_build import INSTALLED, PROGRAM, RECIPE, build_for_arm64

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
    cache.mkdir(parents=True, exist_ok=True)
    # tools/image_check holds the same lock.
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"another tool is at work in {cache}: wait for its end"
            ) from None
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
