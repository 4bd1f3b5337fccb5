"""tools.system.image_checks.layer_rules: what yocto-check-layer says."""

from __future__ import annotations

from tools.system.image_checks.layer_rules import broken_rules

SAID = """\
INFO: test_readme (common.CommonCheckLayer.test_readme)
INFO:  ... FAIL
INFO: ======================================================================
INFO: FAIL: test_readme (common.CommonCheckLayer.test_readme)
INFO: ERROR: test_world (common.CommonCheckLayer.test_world)
INFO: UNEXPECTED SUCCESS: test_patches_upstream_status (common.CommonCheckLayer)
INFO: Ran 10 tests in 38.158s
INFO: FAILED
"""


def test_failures_and_errors_break_a_rule() -> None:
    assert broken_rules(SAID) == ["test_readme", "test_world"]


def test_unexpected_successes_break_none() -> None:
    lines = [line for line in SAID.splitlines() if "FAIL:" not in line and "ERROR:" not in line]
    assert broken_rules("\n".join(lines)) == []
