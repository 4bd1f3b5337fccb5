"""When each word was spoken, read off where the decoder looked in the audio.

The method is that of openai/whisper's ``timing.py``: cross-attention of the heads known to follow the
audio, standardised over the tokens, median-filtered over time, and a monotonic path through it by dynamic
time warping. Words that begin after a pause are shortened as there.

The path may pass through a word in no time, because the decoder looked at a neighbour when it chose the word.
Such a word takes time from its neighbours, as little as can be: see :func:`give_lengths`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.result import Word

SECONDS_PER_POSITION = 0.02
MEDIAN_WIDTH = 7
"""Encoder positions; removes single looks elsewhere."""

SHORTEST_WORD = 0.04
SECONDS_PER_CHARACTER = 0.02
"""The least that a word lasts, and each of its characters. Nobody speaks 50 characters per second, twice what
is said in a hurry, so a shorter word was not found in the audio."""
LONGEST_MEDIAN = 0.7
LONG_WORD = 2.0
"""After a pause, a word may last this many times the median of the window's words, which counts 0.7 s at
most: the path spends the pause in the word that follows it. Both are OpenAI's."""

_SENTENCE_END = tuple(".。!！?？")
_OPENING = "\"'“¿([{-"
"""Punctuation that belongs to the word after it."""
_CLOSING = "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word before it."""


def align_words(
    model: SpeechModel,
    encoded: EncodedAudio,
    pieces: Sequence[Sequence[int]],
    sot_sequence: Sequence[int],
    language: str | None,
    positions: int,
) -> list[list[Word]]:
    """Time the words of one window.

    Args:
        pieces: the text's tokens, segment by segment, without timestamps. No word spans two of them.
        sot_sequence: start, language and task, as they were decoded with.
        positions: encoder positions that hold real audio.

    Returns:
        For each piece its words, with times in seconds from the beginning of the window; together they
        spell its text.
    """
    tokens = [token for piece in pieces for token in piece]
    if not tokens:
        return [[] for _ in pieces]
    tokenizer = model.tokenizer
    prompt = [*sot_sequence, tokenizer.no_timestamps]
    sequence = [*prompt, *tokens, tokenizer.end_of_text]
    weights, probabilities = model.alignment_weights(encoded, sequence, positions)
    # Row i predicts token i + 1, so the rows before each text token, and the one before the end, count.
    rows = slice(len(prompt) - 1, len(sequence) - 1)
    starts = _token_starts(_sharpen(weights)[rows])
    probabilities = probabilities[len(prompt) :]
    result: list[list[Word]] = []
    done = 0
    for piece in pieces:
        words: list[Word] = []
        for text, ids in tokenizer.split_words(piece, language):
            end = done + len(ids)
            words.append(
                Word(
                    text=text,
                    start=float(starts[done]),
                    end=float(starts[end]),
                    probability=float(probabilities[done:end].mean()),
                )
            )
            done = end
        result.append(_attach_punctuation(words))
    spoken = shorten_after_pauses([word for words in result for word in words])
    timed = iter(give_lengths(spoken, positions * SECONDS_PER_POSITION))
    return [[next(timed) for _ in words] for words in result]


def shorten_after_pauses(words: Sequence[Word]) -> list[Word]:
    """Let the words after a pause, at the window's beginning or after a sentence, start later.

    Args:
        words: of one window, their punctuation attached, in order.
    """
    lengths = [word.end - word.start for word in words if word.end > word.start]
    if not lengths:
        return [*words]
    median = min(LONGEST_MEDIAN, float(np.median(lengths)))
    result: list[Word] = []
    for word in words:
        # At the beginning, a long word is no pause unless it also ends late.
        is_late = word.end > 2 * LONG_WORD * median
        follows_pause = result[-1].text.endswith(_SENTENCE_END) if result else is_late
        start = max(word.start, word.end - LONG_WORD * median) if follows_pause else word.start
        result.append(replace(word, start=start))
    return result


def give_lengths(words: Sequence[Word], seconds: float) -> list[Word]:
    """Move starts and ends as little as possible, by least squares, so that every word has some length.

    Args:
        words: of one window, in order; times in seconds from its beginning.
        seconds: length of the window. Where the words do not fit, all least lengths shrink alike.

    Returns:
        The words; none overlaps the next, and all lie within the window. Times are in whole milliseconds.
    """
    if not words:
        return []
    least = np.array(
        [max(SHORTEST_WORD, SECONDS_PER_CHARACTER * len(word.text.strip())) for word in words]
    )
    least *= min(1.0, seconds / least.sum())
    # Without the least lengths of all words before them, the times only have to ascend.
    ends = np.cumsum(least)
    taken = np.stack([np.r_[0.0, ends[:-1]], ends], axis=1).ravel()
    times = np.array([(word.start, word.end) for word in words]).ravel() - taken
    ascending = np.clip(nearest_ascending(times), 0.0, max(0.0, seconds - ends[-1])) + taken
    return [
        replace(word, start=round(float(start), 3), end=round(float(end), 3))
        for word, (start, end) in zip(words, ascending.reshape(-1, 2), strict=True)
    ]


def nearest_ascending(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The non-decreasing sequence that is nearest by least squares: pools adjacent violators."""
    means: list[float] = []
    counts: list[int] = []
    for value in values.tolist():
        mean, count = value, 1
        while means and means[-1] > mean:
            before = counts.pop()
            mean = (means.pop() * before + mean * count) / (before + count)
            count += before
        means.append(mean)
        counts.append(count)
    return np.repeat(means, counts)


def _sharpen(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """[heads, tokens, positions] to one matrix [tokens, positions] in which the path stands out."""
    deviation = np.maximum(weights.std(axis=1, keepdims=True), 1e-8)
    standard = (weights - weights.mean(axis=1, keepdims=True)) / deviation
    matrix: NDArray[np.float32] = _median_filter(standard).mean(axis=0)
    return matrix


def _median_filter(values: NDArray[np.float32]) -> NDArray[np.float32]:
    reach = MEDIAN_WIDTH // 2
    if values.shape[-1] <= reach:
        return values
    padding = [(0, 0)] * (values.ndim - 1) + [(reach, reach)]
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, padding, mode="reflect"), MEDIAN_WIDTH, axis=-1
    )
    filtered = np.empty_like(values)
    # Row by row: the median copies its windows, which are seven times what they slide over.
    for row in np.ndindex(values.shape[:-1]):
        filtered[row] = np.median(windows[row], axis=-1)
    return filtered


def _token_starts(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Seconds at which the path first reaches each row."""
    rows, columns = warp(-matrix)
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    return columns[first].astype(np.float64) * SECONDS_PER_POSITION


def warp(cost: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dynamic time warping: the cheapest monotonic path through a cost matrix, corner to corner.

    Works along anti-diagonals, whose cells do not depend on each other.

    Returns:
        Row and column of every cell of the path, in order.
    """
    height, width = cost.shape
    total = np.full((height + 1, width + 1), np.inf)
    total[0, 0] = 0.0
    came_from = np.zeros((height + 1, width + 1), np.int8)
    for diagonal in range(2, height + width + 1):
        row = np.arange(max(1, diagonal - width), min(height, diagonal - 1) + 1)
        column = diagonal - row
        options = np.stack(
            [total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]]
        )
        came_from[row, column] = options.argmin(axis=0)
        total[row, column] = cost[row - 1, column - 1] + options.min(axis=0)
    return _walk_back(came_from)


def _walk_back(came_from: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    moves = ((-1, -1), (-1, 0), (0, -1))
    row, column = came_from.shape[0] - 1, came_from.shape[1] - 1
    path: list[tuple[int, int]] = []
    while row > 0 and column > 0:
        path.append((row - 1, column - 1))
        down, right = moves[came_from[row, column]]
        row, column = row + down, column + right
    rows, columns = np.array(path[::-1], np.int64).T
    return rows, columns


def _attach_punctuation(words: Sequence[Word]) -> list[Word]:
    """Join marks that stand alone to the word that they belong to."""
    result: list[Word] = []
    opening: Word | None = None
    for word in words:
        mark = word.text.strip()
        if opening is not None:
            word = _joined(opening, word, times_of=word)  # noqa: PLW2901
            opening = None
        # A quotation mark opens after a space and closes without one.
        if word.text.startswith(" ") and mark and mark in _OPENING:
            opening = word
        elif result and word.text and word.text in _CLOSING:
            result[-1] = _joined(result[-1], word, times_of=result[-1])
        else:
            result.append(word)
    return result if opening is None else [*result, opening]


def _joined(first: Word, second: Word, times_of: Word) -> Word:
    return Word(first.text + second.text, times_of.start, times_of.end, times_of.probability)
