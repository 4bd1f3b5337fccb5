"""How likely known tokens are, all of them in one pass of the decoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.decode import Observer, log_masses
from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.token_rules import TokenRules


class KnownTokens:
    """Scores tokens by one audio, after one prompt.

    Args:
        encoded: the audio, encoded last.
        rules: those that a text was decoded with.
    """

    def __init__(
        self, model: SpeechModel, encoded: EncodedAudio, prompt: Sequence[int], rules: TokenRules
    ) -> None:
        self._model = model
        self._encoded = encoded
        self._prompt = prompt
        self._rules = rules
        self.passes = 0
        """Of the decoder so far."""

    def following(self, tokens: Sequence[int], begin: int) -> NDArray[np.float32]:
        """What comes next after the first ``begin`` of the tokens, after one more, and so on to all of them.

        Returns:
            Log-probabilities [len(tokens) - begin + 1, vocabulary].
        """
        logits = self._logits(tokens, begin)
        logits -= log_masses(logits)[:, np.newaxis]
        return logits

    def log_probability(self, tokens: Sequence[int], rest: Sequence[int]) -> float:
        """Of the rest and of the end of text, after the tokens."""
        scores = self.following([*tokens, *rest], len(tokens))
        ending = [*rest, self._model.tokenizer.end_of_text]
        return float(scores[np.arange(len(ending)), ending].sum())

    def show(self, tokens: Sequence[int], observer: Observer) -> float:
        """Let an observer see the tokens as if they had been decoded; returns their log-probability."""
        scores = self.following(tokens, 0)
        text = [*tokens, self._model.tokenizer.end_of_text]
        for row, token in zip(scores, text, strict=True):
            observer.see(row, 0.0, token)
        return float(scores[np.arange(len(text)), text].sum())

    def _logits(self, tokens: Sequence[int], begin: int) -> NDArray[np.float32]:
        self.passes += 1
        first = len(self._prompt) - 1
        rows = range(first + begin, first + len(tokens) + 1)
        logits = self._model.decode(self._encoded).prompt([*self._prompt, *tokens], rows)
        self._rules.apply(logits, [tokens[:end] for end in range(begin, len(tokens) + 1)])
        return logits
