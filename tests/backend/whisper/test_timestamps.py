"""Cutting a window at its timestamps: one table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rtap.whisper.timestamps import Piece, cut_at_timestamps
from tests.backend.whisper.scripted_model import small_tokenizer

TOKENIZER = small_tokenizer()
A, B, C = 65, 66, 67
Cut = tuple[list[tuple[float, float, Sequence[int]]], float]


def t(seconds: float) -> int:
    return TOKENIZER.timestamp_begin + round(seconds / 0.02)


# Tokens of a window of 10 s, whether the model closed the text, pieces (start, end, tokens), seconds covered.
TABLE: dict[str, tuple[list[int], bool, Cut]] = {
    "nothing": ([], True, ([], 10)),
    "nothing, cut off": ([], False, ([], 10)),
    "text without times": ([A, B], True, ([(0, 10, [A, B])], 10)),
    "text without times, cut off": ([A, B], False, ([(0, 10, [A, B])], 10)),
    "one segment": ([t(0.5), A, B, t(3)], True, ([(0.5, 3, [A, B])], 10)),
    "two segments": (
        [t(0), A, t(3), t(4), B, C, t(9)],
        True,
        ([(0, 3, [A]), (4, 9, [B, C])], 10),
    ),
    "one timestamp between two": ([t(0), A, t(3), B, t(9)], True, ([(0, 3, [A]), (3, 9, [B])], 10)),
    "the last one open": ([t(0), A, t(3), t(4), B], True, ([(0, 3, [A]), (4, 10, [B])], 10)),
    "the last one cut off": ([t(0), A, t(3), t(4), B], False, ([(0, 3, [A])], 3)),
    "cut off at the end of a segment": ([t(0), A, t(3)], False, ([(0, 3, [A])], 3)),
    "cut off between segments": ([t(0), A, t(3), t(4)], False, ([(0, 3, [A])], 3)),
    "cut off, but the audio was almost over": (
        [t(0), A, t(9.2), t(9.4), B],
        False,
        ([(0, 9.2, [A]), (9.4, 10, [B])], 10),
    ),
    "cut off, and nothing was closed": ([t(2), A, B], False, ([(2, 10, [A, B])], 10)),
    "cut off after a segment of no length": (
        # Without progress the same would be decoded again for ever.
        [t(0), A, t(0), t(0), B],
        False,
        ([(0, 0, [A]), (0, 10, [B])], 10),
    ),
    "a segment without text": ([t(0), t(3), t(3), A, t(5)], True, ([(3, 5, [A])], 10)),
    "beyond the audio": (
        [t(8), A, t(12), t(13), B, t(14)],
        True,
        ([(8, 10, [A]), (10, 10, [B])], 10),
    ),
    "open beyond the audio": (
        [t(0), A, t(11), t(11), B],
        True,
        ([(0, 10, [A]), (10, 10, [B])], 10),
    ),
    "backwards, from a model that ignores the rules": (
        [t(5), A, t(3), B, t(4)],
        True,
        ([(5, 5, [A]), (3, 4, [B])], 10),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    tokens, ended, (pieces, covered) = TABLE[name]
    found = cut_at_timestamps(tokens, TOKENIZER, 10.0, ended=ended)
    assert found == ([Piece(start, end, tuple(text)) for start, end, text in pieces], covered)


@pytest.mark.parametrize("name", TABLE)
def test_no_text_is_lost_but_what_is_decoded_again(name: str) -> None:
    tokens, _, _ = TABLE[name]
    pieces, covered = cut_at_timestamps(tokens, TOKENIZER, 10.0, ended=True)
    text = [token for token in tokens if TOKENIZER.is_text(token)]
    assert [token for piece in pieces for token in piece.tokens] == text
    assert covered == 10.0
