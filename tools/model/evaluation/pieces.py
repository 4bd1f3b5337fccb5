"""Hours of speech and noise that are no command: pieces of recordings, cut at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rtap.audio.file import AudioFile
from rtap.errors import ConfigurationError
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.noise import CLEAN

SECONDS: Final = (1.0, 6.0)
"""Length of a piece: from a word to what is said in one breath. No sentence of a grammar is longer."""
_SHORTEST: Final = 0.1
"""Seconds of a recording; a shorter one is no sound."""
_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording."""

    utterance: Utterance
    seconds: float
    """Its length."""


def open_others(
    utterances: Sequence[Utterance], is_command: Callable[[Utterance], bool]
) -> list[Recording]:
    """Those that are no command, with their length: pieces of a command may be commands themselves.

    Raises:
        ConfigurationError: none is left.
        AudioError: one cannot be decoded.
    """
    found = []
    for one in utterances:
        if not is_command(one):
            with AudioFile.open(one.audio, str(one.audio), lambda _: None) as audio:
                found.append(Recording(one, audio.duration or 0.0))
    found = [one for one in found if one.seconds >= _SHORTEST]
    if not found:
        raise ConfigurationError("all of the data are commands: give --hours other speech or noise")
    return found


def cut(
    recordings: Sequence[Recording], hours: float, levels: Sequence[float | None], seed: int
) -> list[Utterance]:
    """Pieces of so many hours in all, the same with the same seed.

    Each begins and ends anywhere. The recordings take turns in the order of chance, so that each gives as
    many pieces as the others, and speech is heard at the levels in turn.

    Args:
        levels: decibels of speech over the noise that is mixed in; None is clean.
        seed: of where the recordings are cut, and in which order.
    """
    chance = random.Random(seed)
    left = hours * _HOUR
    pieces = []
    for turn, recording in enumerate(_turns(recordings, chance)):
        if left <= 0:
            break
        begin, end = _piece(recording.seconds, left, chance)
        left -= end - begin
        level = levels[turn % len(levels)] if recording.utterance.is_speech else None
        noise = CLEAN if level is None else f"{level:g} dB"
        pieces.append(replace(recording.utterance, cut=(begin, end), snr=level, noise=noise))
    return pieces


def _turns(recordings: Sequence[Recording], chance: random.Random) -> Iterator[Recording]:
    while True:
        order = list(recordings)
        chance.shuffle(order)
        yield from order


def _piece(seconds: float, most: float, chance: random.Random) -> tuple[float, float]:
    longest = min(SECONDS[1], seconds)
    shortest = min(SECONDS[0], seconds)
    length = min(chance.uniform(shortest, longest), max(most, shortest))
    begin = chance.uniform(0, seconds - length)
    # Rounded here, as the name of the piece has two decimals and two pieces of one name would count once.
    begin, length = round(begin, 2), round(length, 2)
    return begin, round(begin + length, 2)
