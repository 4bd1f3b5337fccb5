"""How well a model hears in a short context, compared with what it, or its original, hears in 30 s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rtap.whisper.decode import Decoded
from tools.model.adaptation.clips import Clip
from tools.model.adaptation.whisper import Whisper
from tools.model.evaluation.normalization import Normalizer
from tools.model.evaluation.scoring import Counts, count

SURE: Final = -0.5
"""Average log-probability of a transcript that the original does not merely guess. What it guesses in 30 s it
guesses otherwise in any other context, whatever the weights."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Greedy transcripts of one model in one kind of context, held against a reference."""

    clips: int
    same: int
    """Transcripts that have just the words of the original's at 30 s."""
    error_rate: float | None
    """Word errors against the original's transcripts at 30 s, those it is sure of if that is half of them
    or more; None where it heard no word."""
    text_error_rate: float | None
    """Word errors against the texts; None where there are none."""


def transcripts(whisper: Whisper, clips: Sequence[Clip], *, full: bool) -> list[Decoded]:
    """What the model hears, in the full context or in the one a native engine would give each clip."""
    return [whisper.search(clip, whisper.full if full else whisper.frames(clip)) for clip in clips]


def likelihoods(heard: Sequence[Decoded]) -> list[float]:
    """Average log-probability of each transcript."""
    return [one.average_log_probability for one in heard]


def compare(
    heard: Sequence[str],
    original: Sequence[str],
    clips: Sequence[Clip],
    normalizer: Normalizer,
    sureness: Sequence[float],
) -> Agreement:
    """Hold transcripts against the original's at 30 s, and against the texts where those are known.

    Args:
        sureness: average log-probability of each of the original's transcripts.
    """
    words = [normalizer.words(text) for text in heard]
    wanted = [normalizer.words(text) for text in original]
    known = [(clip.text, found) for clip, found in zip(clips, words, strict=True) if clip.text]
    against_texts = (count(normalizer.words(text), found) for text, found in known)
    is_sure = [likelihood >= SURE for likelihood in sureness]
    # An original that mostly guesses is judged by its guesses.
    counted = is_sure if 2 * sum(is_sure) >= len(is_sure) else [True] * len(is_sure)
    against_original = (
        count(said, found)
        for said, found, counts in zip(wanted, words, counted, strict=True)
        if counts
    )
    return Agreement(
        clips=len(clips),
        same=sum(one == other for one, other in zip(words, wanted, strict=True)),
        error_rate=sum(against_original, Counts()).error_rate,
        text_error_rate=sum(against_texts, Counts()).error_rate if known else None,
    )
