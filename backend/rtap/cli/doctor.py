"""``rtap doctor``: whether this machine can run the service as configured, and what mends it where not.

The checks are in :mod:`rtap.doctor`. Each answers with a Finding, and one that raises is a problem too.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rtap.cli.serve import add_configuration
from rtap.cli.terminal import write_json, write_result
from rtap.config import Config
from rtap.doctor.finding import Check, Finding
from rtap.errors import ConfigurationError, RTAPException


def add_parser(commands: Any) -> None:
    """Add ``doctor`` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="check this machine, and say what mends it",
        description="Check whether the service can run here as configured: packages, model, microphone, "
        "wake word, ports, memory and more. Exit status: 0, or 2 when there is a problem.",
    )
    add_configuration(parser)
    parser.add_argument("--json", action="store_true", help="a JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, checks: Mapping[str, Check] | None = None) -> int:
    """Print a line for each check as soon as it is made; 2 when one of them is a problem."""
    if checks is None:
        from rtap.doctor.checks import CHECKS

        checks = CHECKS
    config, loading = _load_configuration(arguments)
    findings: dict[str, Finding] = {}
    width = max(map(len, ("configuration", *checks)))

    def tell(name: str, finding: Finding) -> None:
        findings[name] = finding
        if not arguments.json:
            said = ": ".join(part for part in (finding.message, finding.fix) if part)
            write_result(f"{finding.verdict:7}  {name:{width}}  {' '.join(said.split())}\n")

    tell("configuration", loading)
    with _logs_hidden():
        for name, check in checks.items():
            tell(name, _made(check, config))
    problems = sum(finding.verdict == "problem" for finding in findings.values())
    if arguments.json:
        rows = [{"check": name, **asdict(finding)} for name, finding in findings.items()]
        document = {"problems": problems, "checks": rows}
        write_json(document)
    return 2 if problems else 0


def _load_configuration(arguments: argparse.Namespace) -> tuple[Config, Finding]:
    from rtap.config.loader import UnifiedConfigLoader

    try:
        loader = UnifiedConfigLoader.from_environment(os.environ)
        loaded = loader.load_with_origins(arguments.profile, arguments.file)
    except ConfigurationError as error:
        fix = "`rtap config check` lists the faults; the rest is checked with built-in values"
        return Config(), Finding("problem", str(error), fix)
    files = ", ".join(map(str, loaded.files)) or "built in"
    return loaded.config, Finding("ok", f"profile {loaded.config.environment} ({files})")


def _made(check: Check, config: Config) -> Finding:
    try:
        return check(config)
    except RTAPException as error:
        return Finding("problem", str(error))
    except Exception as error:  # noqa: BLE001 (the other checks are made all the same)
        return Finding(
            "problem",
            f"the check itself failed ({type(error).__name__}: {error})",
            "report it with the output of `rtap doctor --json`",
        )


@contextmanager
def _logs_hidden() -> Iterator[None]:
    """What parts log while they are tried is told as a finding."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
