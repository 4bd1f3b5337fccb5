"""faster-whisper as its users run it, but for one beam, and no retries: random weights cause them all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.adapters.prompt import LANGUAGE, PROMPT


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        import ctranslate2
        import faster_whisper

        self.version = (
            f"faster-whisper {faster_whisper.__version__}, CTranslate2 {ctranslate2.__version__}"
        )
        self._model = faster_whisper.WhisperModel(
            str(weights),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )
        self.tokens: list[int] = []

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        segments, _ = self._model.transcribe(
            samples,
            language=LANGUAGE,
            beam_size=1,
            temperature=0.0,
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
            condition_on_previous_text=False,
            without_timestamps=True,
            # It adds the prompt, and CTranslate2 keeps half of the sum for earlier text.
            max_new_tokens=max(2 * tokens - len(PROMPT), tokens - 1),
            vad_filter=False,
        )
        self.tokens = [token for segment in segments for token in segment.tokens]
        return len(self.tokens)
