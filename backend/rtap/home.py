"""The user's home, or none: a container or a unit may run under a number that no user has.

Nothing that the service needs is in a home; what is looked for there is then not found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

NO_HOME: Final = Path("/nonexistent")
"""What Debian gives users that have none. It says so in messages, and nobody makes it."""


def home() -> Path:
    """HOME, or what the password file says; NO_HOME where neither knows."""
    try:
        return Path.home()
    except RuntimeError:
        return NO_HOME


def expanded(path: Path) -> Path:
    """The path with ``~`` replaced; unchanged where that has no home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
