"""Which tokens may come next: what the model's card suppresses, and the grammar of timestamps.

The rules are those of Whisper's own decoding (openai/whisper, ``SuppressTokens``, ``SuppressBlank`` and
``ApplyTimestampRules``); a model finetuned with transformers expects them too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.tokenizer import WhisperTokenizer

NEVER = np.float32(-np.inf)


class TokenRules:
    """Applies to the logits of one step, for any number of sequences."""

    def __init__(
        self,
        tokenizer: WhisperTokenizer,
        rules: GenerationRules,
        vocabulary: int,
        *,
        timestamps: bool,
    ) -> None:
        """Work out the rules of a model.

        Args:
            vocabulary: number of logits.
            timestamps: whether timestamp tokens are to be produced.
        """
        self._tokenizer = tokenizer
        self._timestamps = timestamps and tokenizer.has_timestamps
        self._max_initial = tokenizer.timestamp_begin + rules.max_initial_timestamp
        self._suppress_at_begin = _within(rules.suppress_at_begin, vocabulary)
        always = set(rules.suppress) | _control_tokens(tokenizer)
        # Some checkpoints have more logits than tokens, to make the number round.
        always |= set(range(tokenizer.vocabulary_size, vocabulary))
        if not self._timestamps and tokenizer.has_timestamps:
            always |= set(range(tokenizer.timestamp_begin, vocabulary))
        self._suppress = _within(sorted(always), vocabulary)

    def apply(self, logits: NDArray[np.float32], sequences: Sequence[Sequence[int]]) -> None:
        """Set what may not come next to minus infinity, in place.

        Args:
            logits: [sequences, vocabulary].
            sequences: tokens produced so far, without the prompt.
        """
        logits[:, self._suppress] = NEVER
        for row, produced in zip(logits, sequences, strict=True):
            if not produced:
                row[self._suppress_at_begin] = NEVER
            if self._timestamps:
                self._apply_timestamp_grammar(row, produced)

    def _apply_timestamp_grammar(self, row: NDArray[np.float32], produced: Sequence[int]) -> None:
        """Timestamps come in pairs, never go back, and win when they are likelier than any text."""
        begin, end_of_text = self._tokenizer.timestamp_begin, self._tokenizer.end_of_text
        if not produced:
            row[:begin] = NEVER
            row[self._max_initial + 1 :] = NEVER
            return
        last_is = produced[-1] >= begin
        before_is = len(produced) < 2 or produced[-2] >= begin
        if last_is and before_is:
            row[begin:] = NEVER
        elif last_is:
            # A closed segment is followed by the next one's opening timestamp, or by the end.
            row[:end_of_text] = NEVER
        stamps = [token for token in produced if token >= begin]
        if stamps:
            # A segment must not be empty, but the next may open where it closes.
            earliest = stamps[-1] if last_is and not before_is else stamps[-1] + 1
            row[begin:earliest] = NEVER
        _prefer_timestamps(row, begin)


def _prefer_timestamps(row: NDArray[np.float32], begin: int) -> None:
    stamps = row[begin:]
    peak = stamps.max(initial=NEVER)
    if peak == NEVER:
        return
    mass = peak + np.log(np.exp(stamps - peak).sum())
    if mass > row[:begin].max():
        row[:begin] = NEVER


def _control_tokens(tokenizer: WhisperTokenizer) -> set[int]:
    """Special tokens that no transcript contains, whatever the model's card lists."""
    optional = (tokenizer.transcribe, tokenizer.translate, tokenizer.start_of_lm)
    return {
        tokenizer.start_of_transcript,
        tokenizer.start_of_previous,
        tokenizer.no_speech,
        tokenizer.no_timestamps,
        *tokenizer.languages.values(),
        *(token for token in optional if token is not None),
    }


def _within(tokens: Sequence[int], vocabulary: int) -> NDArray[np.int64]:
    return np.array([token for token in tokens if 0 <= token < vocabulary], np.int64)
