"""The action ``check`` of ``rtap intents`` and ``rtap answers``: what is wrong with a folder's sentences."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rtap.cli.serve import add_configuration
from rtap.cli.terminal import report, write_json, write_result


def add_check(actions: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Add ``check`` to the actions of a command.

    Args:
        actions: argparse's subparsers.
        run: gets the arguments ``folders``, ``language``, ``json`` and those of the configuration.
    """
    check = actions.add_parser(
        "check",
        help="list everything that is wrong with the sentences",
        description="List everything that is wrong with the sentences, with file and line. Exit status: 0, "
        "or 2.",
    )
    check.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="more sentences")
    check.add_argument("--language", metavar="CODE", help="default: all that there are")
    check.add_argument("--json", action="store_true", help="a JSON object")
    add_configuration(check)
    check.set_defaults(run=run)


def check_languages(
    languages: Iterable[str], counts: Callable[[str], Mapping[str, int]], *, as_json: bool
) -> int:
    """Print a line for each language, or every fault on a line of its own.

    Args:
        languages: which to read.
        counts: reads a language, and counts what it has: "intents" and so on; its ConfigurationError and
            ConfigurationFaults are the faults.
        as_json: print one JSON object instead.

    Returns:
        The exit status: 0, or 2 if there are faults.
    """
    from rtap.errors import ConfigurationError, ConfigurationFaults

    faults: list[str] = []
    rows: dict[str, Mapping[str, int]] = {}
    for language in languages:
        try:
            rows[language] = counts(language)
        except ConfigurationFaults as error:
            faults += error.faults
        except ConfigurationError as error:
            faults.append(str(error))
    faults = list(dict.fromkeys(faults))
    if as_json:
        write_json(
            {"faults": faults, "languages": [{"language": one, **rows[one]} for one in rows]}
        )
        return 2 if faults else 0
    for fault in faults:
        report("error", fault)
    for language, row in rows.items():
        write_result(
            f"ok: {language}: {', '.join(f'{count} {what}' for what, count in row.items())}\n"
        )
    return 2 if faults else 0
