"""``rtap intents check | try | list``: the sentences that are understood, and what becomes of a text."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtap.cli.serve import add_configuration
from rtap.cli.terminal import report, write_json, write_result

if TYPE_CHECKING:
    from rtap.config import IntentsConfig
    from rtap.intents.grammar import Declared, Grammar
    from rtap.intents.intent import Intent, Understanding


def add_parser(commands: Any) -> None:
    """Add ``intents`` and what is under it to the command line."""
    parser = commands.add_parser(
        "intents",
        help="check, try and list the commands that are understood",
        description="Check, try and list the commands that are understood. Sentences are in LANGUAGE/*.yaml "
        "below a folder: this program's, those of intents.folders in the configuration, and those given.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

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
    check.set_defaults(run=run_check)

    attempt = actions.add_parser("try", help="what is understood of a text; nothing is done")
    attempt.add_argument("text", metavar="TEXT")
    _add_choice(attempt)
    attempt.add_argument("--json", action="store_true", help="a JSON object")
    attempt.set_defaults(run=run_try)

    listing = actions.add_parser("list", help="all intents, each with a sentence for it")
    _add_choice(listing)
    listing.add_argument("--json", action="store_true", help="a JSON list")
    listing.set_defaults(run=run_list)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", metavar="CODE", help="default: that of stt.language, or en")
    parser.add_argument(
        "--folder", dest="folders", action="append", default=[], type=Path, metavar="FOLDER",
        help="more sentences; may be repeated",
    )  # fmt: skip
    add_configuration(parser)


def run_check(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print a line for each language, or every fault on a line of its own."""
    from rtap.errors import ConfigurationError, ConfigurationFaults
    from rtap.intents.configured import folders, grammar
    from rtap.intents.sources import languages

    settings, chosen = _settings(arguments, environment)
    there = (*folders(settings), *arguments.folders)
    wanted = (chosen,) if arguments.language else languages(there)
    faults: list[str] = []
    rows: list[dict[str, Any]] = []
    for language in wanted:
        try:
            rows.append(_counts(grammar(settings, language, arguments.folders)))
        except ConfigurationFaults as error:
            faults += error.faults
        except ConfigurationError as error:
            faults.append(str(error))
    faults = list(dict.fromkeys(faults))
    if arguments.json:
        write_json({"faults": faults, "languages": rows})
    else:
        for fault in faults:
            report("error", fault)
        for counts in rows:
            write_result(
                f"ok: {counts['language']}: {counts['intents']} intents, {counts['templates']} templates, "
                f"{counts['lists']} lists\n"
            )
    return 2 if faults else 0


def run_try(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print what a text is understood as.

    Raises:
        ConfigurationError: something is wrong with the sentences, or the language has none.
    """
    from rtap.intents.configured import grammar
    from rtap.intents.matcher import Matcher

    settings, language = _settings(arguments, environment)
    matcher = Matcher(grammar(settings, language, arguments.folders))
    understanding = matcher.understand(arguments.text)
    if arguments.json:
        write_json(asdict(understanding))
    else:
        write_result("".join(f"{line}\n" for line in _told(understanding)))
    return 0


def _told(understanding: Understanding) -> Iterator[str]:
    if understanding.intent is not None:
        yield from _told_intent(understanding.intent)
    elif understanding.alternatives:
        yield "no intent: these fit equally well"
    else:
        yield "no intent"
    for other in understanding.alternatives:
        yield f"or: {' '.join(_told_intent(other))}"
    if understanding.did_you_mean:
        yield f"did you mean: {understanding.did_you_mean}"


def _told_intent(intent: Intent) -> Iterator[str]:
    yield intent.name
    for slot in intent.slots:
        value = json.dumps(slot.value, ensure_ascii=False)
        yield f"  {slot.name}: {value}{f' {slot.unit}' if slot.unit else ''}"


def run_list(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print all intents.

    Raises:
        ConfigurationError: something is wrong with the sentences, or the language has none.
    """
    from rtap.intents.configured import grammar

    settings, language = _settings(arguments, environment)
    loaded = grammar(settings, language, arguments.folders)
    rows = [_row(intent, loaded) for intent in loaded.intents.values()]
    if arguments.json:
        write_json(rows)
        return 0
    width = max(len(row["intent"]) for row in rows)
    for row in rows:
        slots = f"  [{', '.join(row['slots'])}]" if row["slots"] else ""
        write_result(f"{row['intent']:{width}}  {row['example'] or row['description']}{slots}\n")
    return 0


def _row(intent: Declared, grammar: Grammar) -> dict[str, Any]:
    from rtap.intents.sampling import example

    return {
        "intent": intent.name,
        "description": intent.description,
        "slots": sorted({slot for template in intent.templates for slot in template.slots}),
        "templates": len(intent.templates),
        "example": example(intent.name, grammar),
    }


def _counts(grammar: Grammar) -> dict[str, Any]:
    return {
        "language": grammar.language,
        "intents": len(grammar.intents),
        "templates": grammar.template_count,
        "lists": len(grammar.lists),
    }


def _settings(
    arguments: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[IntentsConfig, str]:
    """The section ``intents``, and the language to understand."""
    from rtap.config.loader import UnifiedConfigLoader
    from rtap.intents.configured import language_of

    loader = UnifiedConfigLoader.from_environment(environment)
    config = loader.load(arguments.profile, arguments.file)
    return config.intents, language_of(config, arguments.language)
