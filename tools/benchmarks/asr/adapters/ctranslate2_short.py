"""CTranslate2 as nobody runs it: with features of the audio's own length, made by our log-mel, which is fast.

Its encoder takes any length. Without the second of silence that we add, it gets a little less to do than our
engine; what that does to the text of trained weights is not the subject here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.features import HOP, MAX_FRAMES, LogMel
from tools.benchmarks.asr.adapters.prompt import prompt_ids

_MELS = 80


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        import ctranslate2

        self.version = f"CTranslate2 {ctranslate2.__version__}"
        self._model = ctranslate2.models.Whisper(
            str(weights), device="cpu", compute_type="int8", intra_threads=threads
        )
        self._view = ctranslate2.StorageView.from_array
        self._log_mel = LogMel(_MELS)
        self._prompt = prompt_ids(weights)
        self.tokens: list[int] = []

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        pairs = -(-samples.size // (2 * HOP))
        mel = self._log_mel(samples, min(2 * pairs, MAX_FRAMES))
        encoded = self._model.encode(self._view(mel[np.newaxis]))
        # Half of max_length is kept for earlier text, and all of the prompt but its last token counts too.
        longest = max(2 * tokens, tokens + len(self._prompt) - 1)
        (result,) = self._model.generate(encoded, [self._prompt], beam_size=1, max_length=longest)
        self.tokens = list(result.sequences_ids[0])
        return len(self.tokens)
