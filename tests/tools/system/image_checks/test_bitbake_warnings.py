"""tools.system.image_checks.bitbake_warnings: what bitbake warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.process.run import Done
from tools.system.image_checks.bitbake_warnings import OF_MASKED_RECIPES, require_no_warning
from tools.system.image_checks.verdict import CheckFailed


def done(text: str) -> Done:
    return Done("bitbake", 0, text, Path("log"))


def test_a_warning_is_a_failure() -> None:
    with pytest.raises(CheckFailed, match="1 warnings, the first: WARNING: not fine; see log"):
        require_no_warning(done("NOTE: fine\nWARNING: not fine\n"))
    require_no_warning(done("NOTE: WARNING: quoted\n"))


def test_what_is_masked_on_purpose_does_not_count() -> None:
    masked = f"{OF_MASKED_RECIPES}\n"
    require_no_warning(done(masked), besides=OF_MASKED_RECIPES)
    with pytest.raises(CheckFailed, match="1 warnings"):
        require_no_warning(done(masked))
    with pytest.raises(CheckFailed, match="the first: WARNING: not fine"):
        require_no_warning(done(f"{masked}WARNING: not fine\n"), besides=OF_MASKED_RECIPES)
