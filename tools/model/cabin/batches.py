"""Training batches: utterances of like length, in surroundings that are never the same twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin.augment import FULL, LIGHT, Cabin, Strength
from tools.model.cabin.network import LONGEST_SECONDS, MELS, WARPS
from tools.model.cabin.noise import Samples, bank
from tools.model.cabin.phones import Phones
from tools.model.cabin.speech_corpus import Utterance
from tools.model.cabin.tokenizer import PROMPT

if TYPE_CHECKING:
    from tokenizers import Tokenizer

IGNORED: Final = -100
"""Target that counts for nothing (PyTorch's convention)."""

_POOL: Final = 384
"""Items that are sorted by length before they are cut into batches."""
_STEP: Final = SAMPLE_RATE // 50
"""Lengths are multiples of one encoder position."""
_NO_SPEECH: Final = 0.08
_JOINED: Final = 0.12
"""Part of the items that are two or three utterances in a row."""
_BANK_SECONDS: Final = 20.0
_BANK_PIECES: Final = 12
_LIGHT_STEPS: Final = 1500
_RAMP_STEPS: Final = 4000
_TOKEN_NOISE: Final = 0.1
_PROMPTED: Final = 0.08
_LONGEST_PROMPT: Final = 16


class Batch(NamedTuple):
    """What one step learns from.

    Attributes:
        audio: shape (batch, samples).
        warps: index of the mel filters, shape (batch,).
        equaliser: gain per band in powers of ten, shape (batch, 80).
        tokens: decoder input, shape (batch, tokens).
        targets: next tokens, :data:`IGNORED` where there is none, shape (batch, tokens).
        phones: all phones end to end.
        phone_counts: how many of them each item has, shape (batch,).
    """

    audio: Tensor
    warps: Tensor
    equaliser: Tensor
    tokens: Tensor
    targets: Tensor
    phones: Tensor
    phone_counts: Tensor


@dataclass(frozen=True, slots=True)
class _Item:
    audio: Samples
    text: str
    phones: list[int]


class Batches(IterableDataset[Batch]):
    """Batches without end.

    Args:
        seconds: audio in one batch.
        first_step: where training was resumed; the randomness goes on from there.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokenizer: Tokenizer,
        phones: Phones,
        *,
        seed: int,
        seconds: float,
        first_step: int = 0,
    ) -> None:
        self._utterances = utterances
        self._phones = phones
        self._seed = seed
        self._samples = int(seconds * SAMPLE_RATE)
        self._step = first_step
        self._targets = Targets(tokenizer)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng((self._seed, self._step))
        speech = [
            utterance.audio
            for utterance in self._utterances[:: max(len(self._utterances) // 2000, 1)]
        ]
        cabin = Cabin(bank(np.random.default_rng(self._seed), _BANK_SECONDS, _BANK_PIECES, speech))
        sources = self._shuffled(rng)
        while True:
            strength = strength_at(self._step)
            pool = [self._item(cabin, sources, strength, rng) for _ in range(_POOL)]
            pool.sort(key=lambda item: item.audio.size)
            batches = list(self._cut(pool))
            for index in rng.permutation(len(batches)):
                self._step += 1
                yield self._collated(batches[index], cabin, strength, rng)

    def _shuffled(self, rng: Generator) -> Iterator[Utterance]:
        while True:
            for index in rng.permutation(len(self._utterances)):
                yield self._utterances[index]

    def _item(
        self, cabin: Cabin, sources: Iterator[Utterance], strength: Strength, rng: Generator
    ) -> _Item:
        if rng.random() < _NO_SPEECH:
            size = int(rng.uniform(0.6, 5.0) * SAMPLE_RATE)
            return _Item(cabin.without_speech(size, rng), "", [])
        count = 1 if rng.random() >= _JOINED else int(rng.integers(2, 4))
        parts: list[Samples] = [_silence(rng, 0.0, 0.6)]
        texts: list[str] = []
        phones: list[int] = []
        size = 0
        for _ in range(count):
            utterance = next(sources)
            audio = cabin.resampled(utterance.audio, strength, rng)
            if size + audio.size > (LONGEST_SECONDS - 2.5) * SAMPLE_RATE:
                break
            if texts:
                parts.append(_silence(rng, 0.1, 0.6))
            parts.append(audio)
            size += audio.size
            texts.append(utterance.text)
            phones += self._phones.of(utterance.spoken)
        parts.append(_silence(rng, 0.05, 0.9))
        return _Item(np.concatenate(parts), " ".join(texts), phones)

    def _cut(self, pool: Sequence[_Item]) -> Iterator[list[_Item]]:
        batch: list[_Item] = []
        for item in pool:
            if batch and (len(batch) + 1) * item.audio.size > self._samples:
                yield batch
                batch = []
            batch.append(item)
        yield batch

    def _collated(
        self, items: Sequence[_Item], cabin: Cabin, strength: Strength, rng: Generator
    ) -> Batch:
        longest = max(item.audio.size for item in items)
        size = -(-longest // _STEP) * _STEP
        audio = np.zeros((len(items), size), dtype=np.float32)
        for row, item in zip(audio, items, strict=True):
            # Half of the items end in their noise; the engine fills up with digital silence.
            heard = size if rng.random() < 0.5 else item.audio.size
            row[: item.audio.size] = item.audio
            if item.text:
                row[:heard] = cabin.heard(row[:heard], strength, rng)
        tokens, targets = self._targets.of([item.text for item in items], rng)
        warp = min(strength.speed / FULL.speed, 1.0) * (WARPS // 2)
        return Batch(
            audio=torch.from_numpy(audio),
            warps=torch.from_numpy(
                WARPS // 2 + np.rint(warp * rng.uniform(-1, 1, len(items))).astype(np.int64)
            ),
            equaliser=torch.from_numpy(_equaliser(len(items), strength, rng)),
            tokens=tokens,
            targets=targets,
            phones=torch.tensor(
                [phone for item in items for phone in item.phones], dtype=torch.long
            ),
            phone_counts=torch.tensor([len(item.phones) for item in items], dtype=torch.long),
        )


class Targets:
    """Turns texts into what the decoder reads and what it should say next."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        ids: Mapping[str, int] = tokenizer.get_vocab(with_added_tokens=True)
        self.prompt = [ids[name] for name in PROMPT]
        self._end = ids["<|endoftext|>"]
        self._no_speech = ids["<|nospeech|>"]
        self._previous = ids["<|startofprev|>"]

    def of(self, texts: Sequence[str], rng: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Decoder inputs and targets, filled up at the end.

        With ``rng`` some input tokens are replaced by others, so that what is heard counts for more than what
        is likely, and some texts follow a sentence that has nothing to do with them, so that hotwords do no
        harm.

        Returns:
            Two tensors of shape (texts, tokens).
        """
        before = [self._before(texts, rng) for _ in texts]
        bodies = [self._encoded(text) for text in texts]
        rows = [
            [*first, *self.prompt, *body, self._end]
            for first, body in zip(before, bodies, strict=True)
        ]
        length = max(map(len, rows)) - 1
        inputs = np.full((len(rows), length), self._end)
        targets = np.full((len(rows), length), IGNORED)
        spoken = np.zeros(inputs.shape, dtype=bool)
        for row, (first, sequence) in enumerate(zip(before, rows, strict=True)):
            start, text = len(first), len(first) + len(self.prompt)
            inputs[row, : len(sequence) - 1] = sequence[:-1]
            # Between the first token and the text nothing is learnt, except that here is speech, or none.
            targets[row, start] = self.prompt[1] if texts[row] else self._no_speech
            targets[row, text - 1 : len(sequence) - 1] = sequence[text:]
            spoken[row, text : len(sequence) - 1] = True
        if rng is not None:
            noisy = spoken & (rng.random(inputs.shape) < _TOKEN_NOISE)
            inputs[noisy] = rng.integers(0, self._end, int(noisy.sum()))
        return torch.from_numpy(inputs), torch.from_numpy(targets)

    def _encoded(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(f" {text}").ids if text else []
        return ids

    def _before(self, texts: Sequence[str], rng: Generator | None) -> list[int]:
        """What the engine puts before the prompt when it is given hotwords; mostly nothing."""
        if rng is None or rng.random() >= _PROMPTED:
            return []
        words = self._encoded(texts[int(rng.integers(len(texts)))])
        return [self._previous, *words[:_LONGEST_PROMPT]]


def strength_at(step: int) -> Strength:
    """Light at first, since heavy augmentation delays the moment when CTC finds the alignment."""
    return LIGHT.towards(FULL, min(max((step - _LIGHT_STEPS) / _RAMP_STEPS, 0.0), 1.0))


def _silence(rng: Generator, low: float, high: float) -> Samples:
    return np.zeros(int(rng.uniform(low, high) * SAMPLE_RATE), dtype=np.float32)


def _equaliser(count: int, strength: Strength, rng: Generator) -> NDArray[np.float32]:
    """Smooth random curves of up to about 10 dB: microphones and rooms."""
    knots = rng.normal(0, 1.5 * strength.filtered, (count, 6))
    places = np.linspace(0, 5, MELS)
    return np.stack([np.interp(places, np.arange(6), row) for row in knots]).astype(np.float32)
