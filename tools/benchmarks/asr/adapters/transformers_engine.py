"""transformers on torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from tools.benchmarks.asr.adapters.prompt import PADDED, Words
from tools.benchmarks.asr.engine import Answer

if TYPE_CHECKING:
    import torch


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.version = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self._features = transformers.WhisperFeatureExtractor.from_pretrained(weights)
        kind = transformers.WhisperForConditionalGeneration
        self._model = kind.from_pretrained(weights, local_files_only=True).eval()
        self._words = Words(weights)

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        features = self._features(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        tokens = generate(self._model, features.input_features, language, self._words)
        return Answer(self._words.text(tokens), PADDED)


def generate(model: Any, features: torch.Tensor, language: str, words: Words) -> list[int]:
    """Greedy decoding by transformers' own loop, which optimum uses too."""
    import torch

    told = {"language": language, "task": "transcribe"} if words.is_multilingual else {}
    with torch.inference_mode():
        produced = model.generate(features, num_beams=1, do_sample=False, **told)
    ids: list[int] = produced[0].tolist()
    return ids
