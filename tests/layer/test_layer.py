"""The real checks of tools/image_check, one test each: ``pytest -m layer tests/layer/test_layer.py``."""

from __future__ import annotations

import os

import pytest

from tools.system.image_checks.checks import CHECKS
from tools.system.image_checks.running import run_check
from tools.system.image_checks.workshop import Workshop


@pytest.mark.layer
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("name", CHECKS)
def test_check(name: str) -> None:
    verdict = run_check(CHECKS[name], Workshop.open(os.environ))
    if verdict.verdict == "skipped":
        pytest.skip(verdict.message)
    assert verdict.verdict == "ok", verdict.message
