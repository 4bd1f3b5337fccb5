"""tools/image_check: the table of verdicts, with checks that are made up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.tools.conftest import Done, Start
from tests.tools.system.image_checks.conftest import workshop
from tools.commands import image_check
from tools.system.image_checks import needs
from tools.system.image_checks.checks import CHECKS
from tools.system.image_checks.running import run_check
from tools.system.image_checks.verdict import CannotCheck, Check, CheckFailed, Verdict
from tools.system.image_checks.workshop import Workshop

__all__ = ["workshop"]

Run = Callable[..., Done]


def good(_workshop: Workshop) -> str:
    return "3 of 3"


def bad(_workshop: Workshop) -> str:
    raise CheckFailed("not as it shall be")


def broken(_workshop: Workshop) -> str:
    raise KeyError("x")


def absent(_workshop: Workshop) -> None:
    raise CannotCheck("no bitbake: install it")


@pytest.fixture
def check(start: Start, workshop: Workshop) -> Run:
    def run(*arguments: str) -> Done:
        checks = [
            Check("one", "is good", good, is_quick=True),
            Check("two", "is bad", bad),
            Check("three", "lacks something", bad, (absent,)),
            Check("four", "is broken", broken),
        ]
        table = {one.name: one for one in checks}
        return start(lambda argv: image_check.main(argv, table, workshop), *arguments)

    return run


def test_every_check_has_a_line_with_verdict_time_and_reason(check: Run) -> None:
    done = check()
    assert done.status == 1
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["ok", "failed", "skipped", "failed"]
    assert lines[0].split(maxsplit=4)[1:] == ["one", "0.0", "s", "3 of 3"]
    assert lines[2].endswith("no bitbake: install it")
    assert "the check itself failed (KeyError: 'x')" in lines[3]
    assert lines[4].startswith("1 ok, 2 failed, 1 skipped, ")


def test_what_is_skipped_is_no_failure(check: Run) -> None:
    assert check("--only", "one", "--only", "three").status == 0


def test_strictly_what_is_skipped_is_a_failure_that_says_what_it_wants(check: Run) -> None:
    done = check("--strict", "--only", "one", "--only", "three")
    assert done.status == 1
    summary, reason = done.out.splitlines()[-2:]
    assert summary.startswith("1 ok, 0 failed, 1 skipped, ")
    assert reason == "not made: three: no bitbake: install it"


def test_strictly_what_is_ok_is_ok(check: Run) -> None:
    done = check("--strict", "--quick")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith("1 ok, 0 failed, 0 skipped, ")


def test_each_reason_is_told_once() -> None:
    verdicts = [Verdict(name, "skipped", "no mirrors", 0) for name in ("a", "b")]
    verdicts += [Verdict("c", "skipped", "no root", 0), Verdict("d", "ok", "fine", 0)]
    assert image_check.wanted(verdicts) == ["not made: a, b: no mirrors", "not made: c: no root"]


def test_quick_ones_and_what_is_named(check: Run) -> None:
    done = check("--quick", "--only", "three", "--json")
    assert [one["name"] for one in json.loads(done.out)["checks"]] == ["one", "three"]


def test_no_quick_check_needs_mirrors() -> None:
    quick = [one for one in CHECKS.values() if one.is_quick]
    assert [one.name for one in quick] == ["scripts", "style", "kas"]
    assert not [one for one in quick if needs.mirrors in one.needs]


def test_only_what_was_asked_for(check: Run) -> None:
    done = check("--only", "two", "--json")
    document = json.loads(done.out)
    assert [one["name"] for one in document["checks"]] == ["two"]
    assert (document["ok"], document["failed"], document["skipped"]) == (0, 1, 0)


def test_a_list_makes_no_check(check: Run) -> None:
    done = check("--list")
    assert done.status == 0
    assert "two    is bad\n" in done.out
    assert done.err == ""


def test_a_check_that_does_not_exist_is_refused(check: Run) -> None:
    done = check("--only", "five")
    assert done.status == 2
    assert "invalid choice: 'five'" in done.err


def test_without_mirrors_bitbake_is_skipped_with_the_way_to_get_them(workshop: Workshop) -> None:
    verdict = run_check(CHECKS["graph-scarthgap-qemuarm64"], workshop)
    assert verdict.verdict == "skipped"
    assert "no local mirror of poky: set YOCTO_GIT_MIRROR" in verdict.message
