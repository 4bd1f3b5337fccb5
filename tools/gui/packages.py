"""Which of Debian's packages the GUI needs, and which are missing."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

from tools.root import ROOT

LIST: Final = ROOT / "tools/setup/packages/gui.txt"
_PROGRAMS: Final = ("cmake", "ninja", "Xvfb", "pulseaudio", "pactl", "paplay", "xdotool", "import")
"""Where there is no dpkg, these must do."""


def needed() -> list[str]:
    """The packages in ``tools/setup/packages/gui.txt``."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def missing() -> list[str]:
    """The packages, or elsewhere than on Debian the programs, that are not installed."""
    if shutil.which("dpkg-query") is None:
        return [name for name in _PROGRAMS if shutil.which(name) is None]
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n", *needed()],
        capture_output=True,
        text=True,
        check=False,  # it fails when it does not know one of them
    )
    installed = {
        line.partition(" ")[2] for line in done.stdout.splitlines() if line.startswith("installed ")
    }
    return [name for name in needed() if name not in installed]


def advice() -> str:
    """Empty when nothing is missing, otherwise what to do."""
    names = missing()
    if not names:
        return ""
    return f"the GUI needs more: apt-get install --no-install-recommends {' '.join(names)}"
