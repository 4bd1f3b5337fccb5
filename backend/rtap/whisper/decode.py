"""Turns encoded audio into tokens: greedy, sampling and beam search over :class:`Decoding`.

Scores are natural logs of probabilities after the token rules, as in openai/whisper's ``decoding.py``, so
that its thresholds (mean log-probability -1, compression ratio 2.4, no-speech probability 0.6) keep their
meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.model import Decoding
from rtap.whisper.token_rules import NEVER, TokenRules

LOOP_REPEATS = 4
LOOP_TOKENS = 16
"""A stretch of tokens that stands there this often, over at least this many tokens, will not end by itself.
People repeat themselves too ("no no no no"), hence the second condition."""
_LONGEST_LOOP = 32


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding produced for one window of audio."""

    tokens: tuple[int, ...]
    """Text and timestamp tokens, without prompt and end of text."""
    average_log_probability: float
    """Over the tokens and, if it came, the end of text."""
    ended: bool
    """Whether the model closed the text itself, rather than running into the limit or a loop."""
    temperature: float


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for the best sequence."""

    limit: int
    """Most tokens to produce."""
    end_of_text: int
    beams: int = 1
    """Sequences of a beam search, or samples drawn when the temperature is above 0."""
    temperature: float = 0.0
    length_penalty: float | None = None
    """Google NMT's alpha for comparing sequences of different length; None divides by the length."""


class Observer(Protocol):
    """Sees a text being decoded greedily, token by token."""

    def see(self, scores: NDArray[np.float32], log_mass: float, chosen: int) -> None:
        """Note one token.

        Args:
            scores: what comes next, after the token rules [vocabulary]; overwritten after this call. Less
                ``log_mass`` they are log-probabilities.
            log_mass: log of the sum of their exponentials.
        """


def search(
    decoding: Decoding,
    logits: NDArray[np.float32],
    rules: TokenRules,
    how: Search,
    random: np.random.Generator,
    observer: Observer | None = None,
) -> Decoded:
    """Continue a prompt to the end of text.

    Args:
        decoding: made for ``how.beams`` sequences, prompt already given.
        logits: what the prompt predicts next, [1, vocabulary]; overwritten.
        random: draws the samples when the temperature is above 0.
        observer: sees every token of a single sequence; nothing of several.
    """
    if how.beams > 1 and how.temperature == 0:
        return _beam_search(decoding, logits, rules, how)
    return _sample(decoding, logits, rules, how, random, observer)


def is_looping(tokens: Sequence[int]) -> bool:
    """Whether the end of the tokens repeats one stretch of at most 32 tokens over and over."""
    for period in range(1, min(_LONGEST_LOOP, len(tokens) // LOOP_REPEATS) + 1):
        length = max(period * LOOP_REPEATS, LOOP_TOKENS)
        if length > len(tokens):
            continue
        tail = tokens[-length:]
        if tail[period:] == tail[:-period]:
            return True
    return False


def log_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-softmax over the last axis; minus infinity stays what it is."""
    shifted: NDArray[np.float32] = logits - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def log_masses(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """What makes log-probabilities of each row's logits when it is subtracted."""
    peaks = logits.max(axis=-1)
    masses: NDArray[np.float32] = peaks + np.log(np.exp(logits - peaks[:, np.newaxis]).sum(axis=-1))
    return masses


def _sample(
    decoding: Decoding,
    logits: NDArray[np.float32],
    rules: TokenRules,
    how: Search,
    random: np.random.Generator,
    observer: Observer | None,
) -> Decoded:
    """Greedy at temperature 0, else draw ``how.beams`` sequences; the likeliest wins."""
    count = how.beams
    sequences: list[list[int]] = [[] for _ in range(count)]
    scores = np.zeros(count)
    open_, ended = np.ones(count, bool), np.zeros(count, bool)
    if count > 1:
        decoding.fan_out()
        logits = np.repeat(logits, count, axis=0)
    for produced in range(how.limit):
        rules.apply(logits, sequences)
        chosen = _draw(logits, how.temperature, random)
        masses = log_masses(logits)
        scores += np.where(open_, logits[np.arange(count), chosen] - masses, 0)
        if observer is not None and count == 1:
            observer.see(logits[0], float(masses[0]), int(chosen[0]))
        ended |= open_ & (chosen == how.end_of_text)
        open_ &= ~ended
        for index in np.flatnonzero(open_):
            sequences[index].append(int(chosen[index]))
            open_[index] = not is_looping(sequences[index])
        if not open_.any() or produced + 1 == how.limit:
            break
        logits = decoding.step(chosen)
    return _best(sequences, scores, ended, how)


def _draw(
    logits: NDArray[np.float32], temperature: float, random: np.random.Generator
) -> NDArray[np.int64]:
    if temperature > 0:
        # The Gumbel-max trick: the largest of log-probability plus Gumbel noise is a fair draw.
        noise = random.gumbel(size=logits.shape).astype(np.float32)
        logits = logits / np.float32(temperature) + noise
    chosen: NDArray[np.int64] = logits.argmax(axis=-1)
    return chosen


def _best(
    sequences: Sequence[Sequence[int]],
    scores: NDArray[np.float64],
    ended: NDArray[np.bool_],
    how: Search,
) -> Decoded:
    lengths = np.array([len(sequence) for sequence in sequences]) + ended
    if how.length_penalty is None:
        penalties = np.maximum(lengths, 1).astype(np.float64)
    else:
        penalties = ((5 + lengths) / 6) ** how.length_penalty
    best = int(np.argmax(scores / penalties))
    return Decoded(
        tokens=tuple(sequences[best]),
        average_log_probability=float(scores[best] / max(1, lengths[best])),
        ended=bool(ended[best]),
        temperature=how.temperature,
    )


def _beam_search(
    decoding: Decoding, logits: NDArray[np.float32], rules: TokenRules, how: Search
) -> Decoded:
    """Keep the ``how.beams`` best open sequences until as many have ended."""
    decoding.fan_out()
    sequences: list[list[int]] = [[]]
    scores = np.zeros(1)
    finished: list[tuple[float, list[int]]] = []
    for produced in range(how.limit):
        rules.apply(logits, sequences)
        candidates = _candidates(log_probabilities(logits), scores, how.beams)
        kept: list[tuple[float, int, int]] = []
        for score, beam, token in candidates:
            if token == how.end_of_text:
                finished.append((score, sequences[beam]))
            else:
                kept.append((score, beam, token))
            # An end that is less likely than every way to go on is none of the best.
            if len(kept) == how.beams:
                break
        if len(finished) >= how.beams or not kept:
            sequences = []
            break
        # A beam without a candidate of its own goes on as a copy that can never win.
        kept += [(float(NEVER), *kept[0][1:])] * (how.beams - len(kept))
        sequences = [[*sequences[beam], token] for _, beam, token in kept]
        scores = np.array([score for score, _, _ in kept])
        if produced + 1 == how.limit or all(is_looping(sequence) for sequence in sequences):
            break
        decoding.select(np.array([beam for _, beam, _ in kept]))
        logits = decoding.step(np.array([token for _, _, token in kept]))
    return _best_of_beams(finished, sequences, scores, how)


def _best_of_beams(
    finished: Sequence[tuple[float, list[int]]],
    sequences: Sequence[list[int]],
    scores: NDArray[np.float64],
    how: Search,
) -> Decoded:
    """Where the limit was reached before enough had ended, open sequences compete too, but no loops."""
    still_open = list(zip(scores.tolist(), sequences, strict=False))
    if finished:
        still_open = [item for item in still_open if not is_looping(item[1])]
    every = [*finished, *still_open]
    ended = np.arange(len(every)) < len(finished)
    return _best(
        [tokens for _, tokens in every], np.array([score for score, _ in every]), ended, how
    )


def _candidates(
    log_probability: NDArray[np.float32], scores: NDArray[np.float64], beams: int
) -> list[tuple[float, int, int]]:
    """The best (score, beam, token), best first: enough that ``beams`` stay if every beam could end."""
    totals = scores[:, np.newaxis] + log_probability
    count = min(2 * beams, totals.size)
    flat = np.argpartition(totals, totals.size - count, axis=None)[-count:]
    flat = flat[np.argsort(-totals.ravel()[flat], kind="stable")]
    rows, tokens = np.unravel_index(flat, totals.shape)
    return [
        (float(totals[row, token]), int(row), int(token))
        for row, token in zip(rows, tokens, strict=True)
        if totals[row, token] > NEVER
    ]
