"""The synthesised speech on disk: planned from a seed, spoken in parallel, resumed where it was left."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.cabin import voices
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.sentences import Line, training_lines
from tools.model.cabin.synthesis import Request, speak
from tools.model.cabin.voices import Role, Voice

_CHUNK: Final = 100
"""Utterances of one file, all by one synthesiser; what is lost when the making is interrupted."""
_RATES: Final = (0.8, 1.3)
_NEURAL_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance to be made.

    Args:
        text: its transcript; ``request.text`` may have hesitations besides.
    """

    request: Request
    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance on disk.

    Args:
        audio: 16 kHz mono, shape (samples,), mapped from the file.
        spoken: the words with hesitations, as the voice said them.
    """

    audio: NDArray[np.int16]
    text: str
    spoken: str
    speaker: str


def drawn(lines: Iterable[Line], candidates: list[Voice], rng: random.Random) -> list[Spoken]:
    """Give every line a voice, a rate and a pitch."""
    return [
        Spoken(
            Request(line.spoken, voices.draw(rng, candidates), rng.uniform(*_RATES), rng.random()),
            line.text,
        )
        for line in lines
    ]


def training_plan(grammar: Grammar, count: int, seed: int, *, neural: bool) -> list[Spoken]:
    """What the training data says, and who says it.

    The neural synthesiser takes a hundred times as long as the others and surrounds each text with silence
    that takes as long as speech, so it is given whole sentences.
    """
    rng = random.Random(seed)
    lines = training_lines(grammar, rng)
    if neural:
        lines = (line for line in lines if len(line.text.split()) >= _NEURAL_WORDS)
    return drawn(islice(lines, count), voices.with_role(Role.SEEN, neural=neural), rng)


def make(
    plan: Sequence[Spoken], directory: Path, workers: int, report: Callable[[str], None]
) -> None:
    """Speak a plan into files of 250 utterances each; files that are there already are kept.

    Raises:
        ConfigurationError: the directory holds another plan, or a synthesiser fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chunks = _chunks(plan)
    missing = []
    for index, chunk in enumerate(chunks):
        file = directory / f"{index:04d}"
        if not file.with_suffix(".json").exists():
            missing.append((chunk, file))
        elif json.loads(file.with_suffix(".json").read_text())["spoken"] != _spoken(chunk):
            raise ConfigurationError(f"{directory} holds another plan's speech: remove it")
    with ProcessPoolExecutor(workers) as pool:
        for done, _ in enumerate(
            pool.map(_make_chunk, *zip(*missing, strict=True)) if missing else ()
        ):
            report(f"{len(chunks) - len(missing) + done + 1} of {len(chunks)} files of speech")


def load(directory: Path) -> list[Utterance]:
    """All utterances of a directory, their audio mapped into memory.

    Raises:
        ConfigurationError: there is none.
    """
    utterances = []
    for file in sorted(directory.glob("*.json")):
        index = json.loads(file.read_text(encoding="utf-8"))
        audio = np.load(file.with_suffix(".npy"), mmap_mode="r")
        ends = np.cumsum(index["samples"])
        for end, samples, text, spoken, speaker in zip(
            ends, index["samples"], index["text"], index["spoken"], index["speaker"], strict=True
        ):
            utterances.append(Utterance(audio[end - samples : end], text, spoken, speaker))
    if not utterances:
        raise ConfigurationError(f"{directory} has no speech: run tools/train_cabin_model speech")
    return utterances


def hours(utterances: Sequence[Utterance]) -> float:
    """Length of the speech."""
    return sum(utterance.audio.size for utterance in utterances) / SAMPLE_RATE / 3600


def _chunks(plan: Sequence[Spoken]) -> list[list[Spoken]]:
    by_synthesiser: dict[str, list[Spoken]] = {}
    for item in plan:
        by_synthesiser.setdefault(item.request.voice.synthesiser, []).append(item)
    return [
        items[begin : begin + _CHUNK]
        for items in by_synthesiser.values()
        for begin in range(0, len(items), _CHUNK)
    ]


def _spoken(chunk: Sequence[Spoken]) -> list[str]:
    return [item.request.text for item in chunk]


def _make_chunk(chunk: Sequence[Spoken], file: Path) -> None:
    audio = speak([item.request for item in chunk])
    np.save(file.with_suffix(".npy"), np.concatenate(audio))
    index = {
        "text": [item.text for item in chunk],
        "spoken": _spoken(chunk),
        "speaker": [item.request.voice.speaker for item in chunk],
        "samples": [one.size for one in audio],
    }
    # Written last: its presence says that the audio is complete.
    file.with_suffix(".json").write_text(json.dumps(index), encoding="utf-8")
