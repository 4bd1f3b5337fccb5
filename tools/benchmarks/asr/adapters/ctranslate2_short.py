"""CTranslate2 on features that end soon after the audio: no user of it has them, and nothing is faster.

On the weights that were adapted to short contexts, where there are some; stock weights loop on such features.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.features import HOP, LogMel
from tools.benchmarks.asr.adapters.prompt import Words
from tools.benchmarks.asr.engine import Answer
from tools.benchmarks.asr.margin import margin_beside

_HOP_SECONDS = HOP / SAMPLE_RATE


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        import ctranslate2

        self.version = f"CTranslate2 {ctranslate2.__version__}"
        self._model = ctranslate2.models.Whisper(
            str(weights), device="cpu", compute_type="int8", intra_threads=threads
        )
        self._view = ctranslate2.StorageView.from_array
        mels, longest = _sizes(weights)
        self._log_mel = LogMel(mels)
        self._longest = longest
        self._margin = round(margin_beside(weights) * SAMPLE_RATE)
        self._words = Words(weights)

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        pairs = -(-(samples.size + self._margin) // (2 * HOP))
        frames = min(2 * pairs, self._longest)
        encoded = self._model.encode(self._view(self._log_mel(samples, frames)[np.newaxis]))
        (result,) = self._model.generate(encoded, [self._words.prompt(language)], beam_size=1)
        return Answer(self._words.text(list(result.sequences_ids[0])), (frames * _HOP_SECONDS,))


def _sizes(weights: Path) -> tuple[int, int]:
    """Mel bands, and most frames."""
    document = json.loads((weights / "sizes.json").read_text(encoding="utf-8"))
    return document["num_mel_bins"], 2 * document["max_source_positions"]
