"""``rtap intents check | try | list``: the sentences that are understood, and what becomes of a text."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtap.cli.serve import add_configuration
from rtap.cli.terminal import report, write_result

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
    from rtap.intents.sources import languages

    settings, _ = _settings(arguments, environment)
    folders = _folders(settings, arguments.folders)
    wanted = [_code(arguments.language)] if arguments.language else languages(folders)
    faults: list[str] = []
    grammars: list[Grammar] = []
    for language in wanted:
        try:
            grammars.append(_load(language, settings, arguments.folders))
        except ConfigurationFaults as error:
            faults += error.faults
        except ConfigurationError as error:
            faults.append(str(error))
    faults = list(dict.fromkeys(faults))
    if arguments.json:
        rows = [_counts(grammar) for grammar in grammars]
        _write_json({"faults": faults, "languages": rows})
    else:
        for fault in faults:
            report("error", fault)
        for grammar in grammars:
            counts = _counts(grammar)
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
    from rtap.intents.matcher import Matcher

    settings, language = _settings(arguments, environment)
    understanding = Matcher(_load(language, settings, arguments.folders)).understand(arguments.text)
    if arguments.json:
        _write_json(asdict(understanding))
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
    settings, language = _settings(arguments, environment)
    grammar = _load(language, settings, arguments.folders)
    rows = [_row(intent, grammar) for intent in grammar.intents.values()]
    if arguments.json:
        _write_json(rows)
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

    loader = UnifiedConfigLoader.from_environment(environment)
    config = loader.load(arguments.profile, arguments.file)
    spoken = config.stt.language
    return config.intents, _code(arguments.language or ("en" if spoken == "auto" else spoken))


def _code(language: str) -> str:
    from rtap.languages import language_code

    return language_code(language)


def _folders(settings: IntentsConfig, more: Sequence[Path]) -> tuple[Path, ...]:
    from rtap.intents.configured import folders

    return (*folders(settings), *more)


def _load(language: str, settings: IntentsConfig, more: Sequence[Path]) -> Grammar:
    from rtap.intents.configured import name_files
    from rtap.intents.loader import load_grammar

    return load_grammar(language, _folders(settings, more), name_files(settings))


def _write_json(document: object) -> None:
    write_result(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
