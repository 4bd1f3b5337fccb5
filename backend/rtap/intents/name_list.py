"""The list that a file of names makes: whole names, what else they are called, and parts of names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hassil import TextChunk, TextSlotList, TextSlotValue

from rtap.intents.names import read_names
from rtap.intents.spelling import Spelling

PART: Final = {"part": True}
"""hassil's metadata of values that are a part of a name only."""
_LONGEST_NAME: Final = 4
"""Words of a name that parts are made of; more would be as many parts as there are names."""
_SHORTEST_PART: Final = 3
"""Letters of a part's last word: shorter ones are titles and such, as in "St. Pölten"."""


def name_list(list_name: str, path: Path, spelling: Spelling, faults: list[str]) -> TextSlotList:
    """The names of a file, each to be said in full, by what else it is called, or by a part of it.

    What stands for several names matches each of them, so that the speaker can be asked which one is meant. A
    whole name stands for nobody else: with two of the same there would be no answer.

    Args:
        faults: gets names that cannot be told apart, with file and line.

    Raises:
        ConfigurationError: the file is not there, or no text.
    """
    rows = list(read_names(path))
    owners: dict[str, str] = {}
    for name, _, _ in rows:
        owners.setdefault(spelling.plain(name), name)
    values: dict[tuple[str, str], TextSlotValue] = {}
    for name, said, place in rows:
        for one in said:
            words = spelling.plain(one)
            if (owner := owners.get(words, name)) != name:
                faults.append(
                    f"{place}: {one} already stands for {owner}: write what tells them apart"
                )
            elif words:
                values[words, name] = TextSlotValue(TextChunk(words), name)
    whole = {words for words, _ in values}
    for name, _, _ in rows:
        for part in map(spelling.plain, parts(name)):
            if part and part not in whole:
                values[part, name] = TextSlotValue(TextChunk(part), name, metadata=PART)
    return TextSlotList(list_name, list(values.values()))


def parts(name: str) -> Iterator[str]:
    """Words of a name that follow one another and that may stand for it.

    The last of them begins with a capital and has three letters at least: "Anna" and "Schmidt", not "van".
    """
    words = name.split()[:_LONGEST_NAME]
    for end in range(1, len(words) + 1):
        last = words[end - 1]
        if last[0].isupper() and sum(map(str.isalpha, last)) >= _SHORTEST_PART:
            for start in range(end):
                if end - start < len(name.split()):
                    yield " ".join(words[start:end])
