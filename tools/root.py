"""Where the checkout is that the tools belong to, and where they keep what is only worth keeping."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""
CACHE: Final = ROOT / ".cache"
"""What can be made again: builds, downloads, models in passing. Git ignores it."""
