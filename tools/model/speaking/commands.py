"""Commands drawn from a grammar, each with what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from rtap.errors import ConfigurationError
from rtap.intents.intent import Intent
from rtap.intents.matcher import Matcher
from rtap.intents.sampling import NATURAL, sample
from rtap.intents.yaml_file import read_text
from tools.model.evaluation.meaning import Meaning

_ATTEMPTS: Final = 50
"""Draws for one command, until an intent counts as having no other sentence."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to say."""

    text: str
    meaning: Meaning


def draw(matcher: Matcher, count: int, random: Random) -> list[Command]:
    """So many sentences, none twice, that the grammar understands as the intent that they stand under.

    Intents take turns, so that each is heard about as often as any other, however many templates it has.

    Raises:
        ConfigurationError: the grammar has fewer.
    """
    found: dict[str, Command] = {}
    intents = _turns(list(matcher.grammar.intents), random)
    fruitless = 0
    while len(found) < count:
        command = _draw(next(intents), matcher, random, found)
        if command is not None:
            found[command.text] = command
            fruitless = 0
        elif (fruitless := fruitless + 1) >= 2 * len(matcher.grammar.intents):
            raise ConfigurationError(
                f"the grammar has {len(found)} sentences, and not {count}: ask for fewer"
            )
    return list(found.values())


def read(path: Path, matcher: Matcher) -> list[Command]:
    """Sentences from a file in UTF-8, one a line; lines that are empty or begin with # are left out.

    Raises:
        ConfigurationError: the file cannot be read, or the grammar does not understand a line.
    """
    found = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = " ".join(line.split())
        if text and not text.startswith("#"):
            understood = matcher.understand(text).intent
            if understood is None:
                raise ConfigurationError(
                    f"{path}:{number}: the grammar does not understand this: say it otherwise, or leave "
                    "it out"
                )
            found.append(Command(text, _meaning(understood)))
    return found


def _turns(names: list[str], random: Random) -> Iterator[str]:
    while True:
        random.shuffle(names)
        yield from names


def _draw(
    intent: str, matcher: Matcher, random: Random, known: dict[str, Command]
) -> Command | None:
    """A new sentence of an intent; None where none came up."""
    grammar = matcher.grammar
    templates = [one for data in grammar.sentences.intents[intent].data for one in data.sentences]
    for _ in range(_ATTEMPTS):
        text = sample(random.choice(templates).expression, grammar, random, NATURAL)
        if text and text not in known:
            understood = matcher.understand(text).intent
            if understood is not None and understood.name == intent:
                return Command(text, _meaning(understood))
    return None


def _meaning(intent: Intent) -> Meaning:
    return Meaning(intent.name, tuple((slot.name, slot.value) for slot in intent.slots))
