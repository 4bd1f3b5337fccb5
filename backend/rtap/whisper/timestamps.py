"""Cuts a decoded window into segments at its timestamp tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rtap.whisper.tokenizer import WhisperTokenizer

RESUME_SECONDS = 1.0
"""Less audio than this after the last closed segment is taken for its end, not for more speech."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text tokens between two timestamps, in seconds from the beginning of the window."""

    start: float
    end: float
    tokens: tuple[int, ...]


def cut_at_timestamps(
    tokens: Sequence[int], tokenizer: WhisperTokenizer, duration: float, *, ended: bool
) -> tuple[list[Piece], float]:
    """Cut, and say up to where the window was understood.

    Args:
        tokens: as decoded, without prompt and end of text.
        duration: of the window, in seconds; times beyond it are brought back to it.
        ended: whether the model closed the text itself.

    Returns:
        The pieces with text, and the seconds of the window that they cover: ``duration``, unless the model
        did not close the text after at least one closed segment; the rest should be decoded again then.
    """
    pieces: list[Piece] = []
    text: list[int] = []
    start, closed = 0.0, 0.0
    for token in tokens:
        if not tokenizer.is_timestamp(token):
            text.append(token)
            continue
        time = min(tokenizer.timestamp(token), duration)
        if text:
            pieces.append(Piece(start, max(start, time), tuple(text)))
            closed = max(start, time)
            text = []
        start = time
    if not ended and closed > 0 and duration - closed > RESUME_SECONDS:
        return pieces, closed
    if text:
        pieces.append(Piece(start, duration, tuple(text)))
    return pieces, duration
