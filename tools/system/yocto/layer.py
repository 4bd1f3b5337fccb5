"""What our layer's own files say, read without bitbake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.root import ROOT

LAYER: Final = ROOT / "meta-userapp"
_VARIABLE: Final = re.compile(r"^(VOICE_ASSISTANT_\w+)\s*\??=\s*\"([^\"]*)\"", re.MULTILINE)


def layer_variables() -> dict[str, str]:
    """The layer's ``VOICE_ASSISTANT_*`` variables with plain values."""
    found: dict[str, str] = {}
    for file in sorted([*LAYER.glob("conf/*.inc"), *LAYER.glob("conf/*.conf")]):
        found |= dict(_VARIABLE.findall(file.read_text()))
    return found


def recipe_files() -> dict[str, Path]:
    """Every recipe of the layer, by name."""
    files = {file.stem.partition("_")[0]: file for file in LAYER.glob("recipes-*/*/*.bb")}
    return dict(sorted(files.items()))
