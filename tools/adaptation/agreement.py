"""How well a model hears in a short context, compared with what it, or its original, hears in 30 s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.adaptation.clips import Clip
from tools.adaptation.whisper import Whisper
from tools.evaluation.normalization import Normalizer
from tools.evaluation.scoring import Counts, count


@dataclass(frozen=True, slots=True)
class Agreement:
    """Greedy transcripts of one model in one kind of context, held against a reference."""

    clips: int
    same: int
    """Transcripts that have just the words of the original's at 30 s."""
    error_rate: float | None
    """Word errors against the original's transcripts at 30 s; None where it heard no word."""
    text_error_rate: float | None
    """Word errors against the texts; None where there are none."""


def transcripts(whisper: Whisper, clips: Sequence[Clip], *, full: bool) -> list[str]:
    """What the model hears, in the full context or in the one a native engine would give each clip."""
    return [
        whisper.transcribe(clip, whisper.full if full else whisper.frames(clip)) for clip in clips
    ]


def compare(
    heard: Sequence[str], original: Sequence[str], clips: Sequence[Clip], normalizer: Normalizer
) -> Agreement:
    """Hold transcripts against the original's at 30 s, and against the texts where those are known."""
    words = [normalizer.words(text) for text in heard]
    wanted = [normalizer.words(text) for text in original]
    known = [(clip.text, found) for clip, found in zip(clips, words, strict=True) if clip.text]
    against_texts = (count(normalizer.words(text), found) for text, found in known)
    against_original = (count(said, found) for said, found in zip(wanted, words, strict=True))
    return Agreement(
        clips=len(clips),
        same=sum(one == other for one, other in zip(words, wanted, strict=True)),
        error_rate=sum(against_original, Counts()).error_rate,
        text_error_rate=sum(against_texts, Counts()).error_rate if known else None,
    )
