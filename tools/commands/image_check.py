"""Check everything about the image that can be checked without building it.

Wants local copies of the layers' git repositories: in $YOCTO_GIT_MIRROR, or in a folder .mirror above
this checkout. Without them, or without a program, a check is skipped and says how to enable it. The first
run takes an hour, most of it for reading every recipe of every layer; what was read is kept in
.cache/image-check, so that another takes minutes. Root runs bitbake as $IMAGE_CHECK_USER, by default as
nobody.

Exit status 0, or 1 when a check has failed; with --strict also when one was skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from tools.console.command_line import report_step, run
from tools.process.run import end_children_when_terminated
from tools.root import ROOT
from tools.system.image_checks.checks import CHECKS
from tools.system.image_checks.running import chosen_checks, run_check
from tools.system.image_checks.verdict import Check, Verdict
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto import host_locale

SUMMARY: Final = "{ok} ok, {failed} failed, {skipped} skipped, {seconds:.0f} s"


def _parser(checks: Mapping[str, Check]) -> OneLineParser:
    parser = OneLineParser(prog="tools/image_check", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=tuple(checks),
        metavar="NAME",
        help="make this check alone; may be given several times; --list has the names",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="make those that take seconds and need no mirrors, and what --only names",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a check that is skipped counts as failed; the end of the table says what is wanted for which",
    )
    parser.add_argument("--list", action="store_true", help="show the checks and make none")
    parser.add_argument(
        "--install",
        action="store_true",
        help="first install what is missing: the Debian packages of tools/setup/packages/image.txt, a locale",
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    return parser


def main(
    argv: Sequence[str],
    checks: Mapping[str, Check] = CHECKS,
    workshop: Workshop | None = None,
) -> int:
    """Command line: status 1 when a check has failed."""
    arguments = _parser(checks).parse_args(argv)
    if arguments.list:
        width = max(map(len, checks))
        write_result("".join(f"{check.name:{width}}  {check.what}\n" for check in checks.values()))
        return 0
    if arguments.install:
        _install_packages()
    place = workshop or Workshop.open(os.environ)
    chosen = chosen_checks(checks, arguments.only, quick=arguments.quick)
    width = max(len(check.name) for check in chosen)
    verdicts = []
    with place.locked():
        for check in chosen:
            report_step("image_check", check.name)
            verdict = run_check(check, place)
            verdicts.append(verdict)
            if not arguments.json:
                write_result(_line(verdict, width))
    count = {
        word: sum(one.verdict == word for one in verdicts) for word in ("ok", "failed", "skipped")
    }
    if arguments.json:
        rows = [asdict(verdict) for verdict in verdicts]
        write_result(json.dumps(count | {"checks": rows}, indent=2) + "\n")
    else:
        seconds = sum(verdict.seconds for verdict in verdicts)
        write_result(SUMMARY.format(**count, seconds=seconds) + "\n")
        if arguments.strict:
            write_result("".join(f"{line}\n" for line in wanted(verdicts)))
    return 1 if count["failed"] or (arguments.strict and count["skipped"]) else 0


def wanted(verdicts: Sequence[Verdict]) -> list[str]:
    """What keeps checks from being made, each as a line with their names."""
    names: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.verdict == "skipped":
            names.setdefault(verdict.message, []).append(verdict.name)
    return [f"not made: {', '.join(held)}: {message}" for message, held in names.items()]


def _line(verdict: Verdict, width: int) -> str:
    return f"{verdict.verdict:7}  {verdict.name:{width}}  {verdict.seconds:7.1f} s  {verdict.message}\n"


def _install_packages() -> None:
    script = ROOT / "tools/setup/install_packages.sh"
    # What cannot be installed is told by the checks that want it.
    subprocess.run(
        [script, f"@{ROOT / 'tools/setup/packages/image.txt'}"], stdout=sys.stderr, check=False
    )
    host_locale.make_english()


if __name__ == "__main__":
    end_children_when_terminated()
    run(main)
