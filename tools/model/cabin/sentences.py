"""Which sentences are for training, which for testing, and how training sentences are drawn."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from tools.model.cabin.grammar import Grammar


class Split(Enum):
    """What a sentence may be used for."""

    TRAIN = "train"
    DEVELOPMENT = "development"
    TEST = "test"


class Line(NamedTuple):
    """What a voice says, and what a transcript of it should be (without hesitations)."""

    spoken: str
    text: str


_SHORTEST_HELD_OUT: Final = 3
"""Words. There are too few shorter commands to keep any from training."""
_SHARES: Final = {Split.TEST: 0.08, Split.DEVELOPMENT: 0.04}

_KINDS: Final = ("sentence", "balanced", "fragment", "word", "salad")
_KIND_SHARES: Final = (45, 22, 14, 9, 10)
HESITATIONS: Final = ("um", "uh", "er", "hm", "well", "so")
_HESITATION_CHANCE: Final = 0.04
_LONGEST_FRAGMENT: Final = 3
_SALAD_WORDS: Final = (2, 6)


def split_of(text: str) -> Split:
    """The split of a sentence, which depends on nothing but its words."""
    if len(text.split()) < _SHORTEST_HELD_OUT:
        return Split.TRAIN
    place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
    for split, share in _SHARES.items():
        if place < share:
            return split
        place -= share
    return Split.TRAIN


def training_lines(grammar: Grammar, rng: random.Random) -> Iterator[Line]:
    """Sentences without end: commands, commands for rare words, fragments, single words, random words.

    Fragments and random words teach the decoder to listen: with whole commands only, it learns to guess.
    """
    while True:
        text = _draw(grammar, rng)
        if split_of(text) is Split.TRAIN:
            yield Line(_hesitant(text, rng), text)


def held_out_texts(grammar: Grammar, rng: random.Random, split: Split, count: int) -> list[str]:
    """Different sentences of one split, in a random order."""
    found: dict[str, None] = {}
    while len(found) < count:
        text = grammar.sentence(rng)
        if split_of(text) is split:
            found[text] = None
    return list(found)


def _draw(grammar: Grammar, rng: random.Random) -> str:
    [kind] = rng.choices(_KINDS, _KIND_SHARES)
    vocabulary = grammar.vocabulary
    if kind == "sentence":
        return grammar.sentence(rng)
    if kind == "balanced":
        return grammar.sentence_with(rng, rng.choice(vocabulary))
    if kind == "word":
        return rng.choice(vocabulary)
    if kind == "salad":
        return " ".join(rng.choices(vocabulary, k=rng.randint(*_SALAD_WORDS)))
    words = grammar.sentence_with(rng, rng.choice(vocabulary)).split()
    length = rng.randint(1, min(_LONGEST_FRAGMENT, len(words)))
    begin = rng.randint(0, len(words) - length)
    return " ".join(words[begin : begin + length])


def _hesitant(text: str, rng: random.Random) -> str:
    if rng.random() >= _HESITATION_CHANCE:
        return text
    words = text.split()
    # "so" and "well" only open a sentence; a hesitation is set off by commas, so that voices pause.
    place = rng.randint(0, len(words) - 1)
    sound = rng.choice(HESITATIONS if place == 0 else HESITATIONS[:4])
    return " ".join([*words[:place], f"{sound},", *words[place:]])
