"""Recordings of people that every engine hears, and what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.evaluation.data import Utterance, load_data, with_language

_ENGLISH: Final = "en"
LONGEST_SECONDS: Final = 30.0
"""What fits into one context; longer files take several, which is another measurement."""


@dataclass(frozen=True, slots=True)
class Command:
    """One recording, as the engines get it."""

    utterance: Utterance
    samples: Path
    """As ``numpy.save`` writes it."""
    seconds: float


def chosen(
    recordings: Path, sets: Sequence[str], limit: int | None, *, multilingual: bool
) -> list[Utterance]:
    """Those of which the words are known, in a language that the weights know.

    Args:
        recordings: as tools/evaluate takes it.
        sets: names; empty: all.
        limit: how many of each set.

    Raises:
        ConfigurationError: a set is not there, or nothing is left.
    """
    everything = with_language(load_data([recordings]), _ENGLISH)
    there = dict.fromkeys(one.group for one in everything)
    for name in sets:
        if name not in there:
            raise ConfigurationError(
                f"{recordings} has no set {name}: give --sets some of {', '.join(there)}"
            )
    kept = [
        one
        for one in everything
        if one.text and one.group in (sets or there) and (multilingual or one.language == _ENGLISH)
    ]
    if not kept:
        raise ConfigurationError(
            f"{recordings} has nothing with known words in a language of these weights: "
            f"give other --recordings or --sets"
        )
    return list(_first_of_each_set(kept, limit))


def _first_of_each_set(utterances: Sequence[Utterance], limit: int | None) -> Iterator[Utterance]:
    seen: Counter[str] = Counter()
    for one in utterances:
        seen[one.group] += 1
        if limit is None or seen[one.group] <= limit:
            yield one


def unpacked(utterances: Sequence[Utterance], folder: Path) -> tuple[list[Command], list[str]]:
    """Decode all of them once, into files that cost nobody time; also says which were left out, and why.

    Raises:
        AudioError: a file cannot be decoded.
    """
    commands: list[Command] = []
    left_out: list[str] = []
    for number, utterance in enumerate(utterances):
        with AudioFile.open(utterance.audio, str(utterance.audio), lambda _: None) as audio:
            samples = np.concatenate([*audio.blocks(), np.empty(0, np.float32)])
        seconds = samples.size / SAMPLE_RATE
        if not 0 < seconds <= LONGEST_SECONDS:
            left_out.append(f"{utterance.clip}: {seconds:.1f} s do not fit into one context")
            continue
        file = folder / f"{number}.npy"
        np.save(file, samples)
        commands.append(Command(utterance, file, seconds))
    return commands, left_out
