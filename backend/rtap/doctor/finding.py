"""What a check of ``rtap doctor`` answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from rtap.config import Config

MB: Final = 1_000_000
"""Sizes are told in these."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out."""

    verdict: Literal["ok", "warning", "problem"]
    """warning: it works, but worse than it could."""
    message: str
    fix: str = ""
    """What to do; empty where nothing is wrong, or where the message says it."""


Check = Callable[[Config], Finding]
