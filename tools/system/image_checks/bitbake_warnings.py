"""bitbake's warnings, which count as failures."""

from __future__ import annotations

from typing import Final

from tools.process.run import Done
from tools.system.image_checks.verdict import CheckFailed

OF_MASKED_RECIPES: Final = "WARNING: No recipes in default available for:"
"""What bitbake warns of where recipes are masked on purpose."""


def require_no_warning(done: Done, *, besides: str | None = None) -> None:
    """Raises: CheckFailed: bitbake warns of something.

    Args:
        besides: how lines begin that don't count.
    """
    warnings = [
        line
        for line in done.text.splitlines()
        if line.startswith("WARNING:") and not (besides and line.startswith(besides))
    ]
    if warnings:
        raise CheckFailed(f"{len(warnings)} warnings, the first: {warnings[0]}; see {done.log}")
