"""Where the kernel, the firmware and containers say what this machine is."""

from __future__ import annotations

from pathlib import Path

ROOT: Path = Path("/")
"""Tests put a directory of their own here."""


def system_file(path: str) -> Path:
    """A file or directory of the system; the path has no leading slash."""
    return ROOT / path
