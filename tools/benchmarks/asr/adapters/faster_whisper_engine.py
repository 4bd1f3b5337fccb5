"""faster-whisper as its users run it, but for one beam, and one try at temperature 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.adapters.prompt import PADDED
from tools.benchmarks.asr.engine import Answer


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

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=False,
        )
        return Answer(" ".join(segment.text.strip() for segment in segments), PADDED)
