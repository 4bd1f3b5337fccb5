"""``rtap intents check | try | list``: the sentences that are understood, and what becomes of a text."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtap.cli.sentence_check import add_check, check_languages
from rtap.cli.serve import add_configuration
from rtap.cli.terminal import write_json, write_result

if TYPE_CHECKING:
    from rtap.config import IntentsConfig
    from rtap.intents.dialogue import Turn
    from rtap.intents.grammar import Declared, Grammar
    from rtap.intents.intent import Intent, Understanding
    from rtap.intents.question import Question


def add_parser(commands: Any) -> None:
    """Add ``intents`` and what is under it to the command line."""
    parser = commands.add_parser(
        "intents",
        help="check, try and list the commands that are understood",
        description="Check, try and list the commands that are understood. Sentences are in LANGUAGE/*.yaml "
        "below a folder: this program's, those of intents.folders in the configuration, and those given.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    add_check(actions, run_check)

    attempt = actions.add_parser(
        "try",
        help="what is understood of a text; nothing is done",
        description="What is understood of a text. Several are the turns of one dialogue: each may continue "
        "the one before, or answer the question that it led to. Nothing is done.",
    )
    attempt.add_argument("texts", nargs="+", metavar="TEXT")
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
    """See :func:`rtap.cli.sentence_check.check_languages`."""
    from rtap.intents.configured import folders, grammar
    from rtap.intents.sources import languages

    settings, language = _settings(arguments, environment)
    there = (*folders(settings), *arguments.folders)
    return check_languages(
        (language,) if arguments.language else languages(there),
        lambda one: _counts(grammar(settings, one, arguments.folders)),
        as_json=arguments.json,
    )


def run_try(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print what a text is understood as, or what becomes of the turns of a dialogue.

    Raises:
        ConfigurationError: something is wrong with the sentences, or the language has none.
    """
    from rtap.intents.dialogue import Dialogue
    from rtap.intents.understander import Understander

    settings, language = _settings(arguments, environment)
    folders = (*settings.folders, *map(str, arguments.folders))
    understander = Understander(replace(settings, enabled=True, languages=(), folders=folders))
    if len(arguments.texts) == 1:
        understanding = understander.understand(arguments.texts[0], language)
        result: Any = asdict(understanding)
        lines = [*_told(understanding)]
    else:
        dialogue = Dialogue(understander)
        turns = [dialogue.hear(text, language, 1.0, now=0.0) for text in arguments.texts]
        result = [asdict(turn) for turn in turns]
        lines = [line for turn in turns for line in _told_turn(turn)]
    if arguments.json:
        write_json(result)
    else:
        write_result("".join(f"{line}\n" for line in lines))
    return 0


def _told_turn(turn: Turn) -> Iterator[str]:
    yield f"> {turn.understanding.text}"
    if turn.dropped is not None:
        yield "dropped what was asked"
    if turn.question is not None:
        yield _told_question(turn.question)
    elif turn.intent is not None:
        yield from _told_intent(turn.intent)
    else:
        yield from _told(turn.understanding)


def _told_question(question: Question) -> str:
    if question.sentence is not None:
        return f"did you mean: {question.sentence}?"
    options = [
        " ".join(_told_intent(option))
        if question.slot is None
        else str(option.value(question.slot))
        for option in question.options
    ]
    return f"{question.kind}{f' {question.slot}' if question.slot else ''}: {', '.join(options)}?"


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


def _counts(grammar: Grammar) -> dict[str, int]:
    return {
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
