"""optimum: transformers' loop over its own export, on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from tools.benchmarks.asr.adapters.prompt import PADDED, Words
from tools.benchmarks.asr.adapters.transformers_engine import generate
from tools.benchmarks.asr.engine import Answer


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        from importlib.metadata import version

        import onnxruntime
        import torch
        from optimum.onnxruntime import ORTModelForSpeechSeq2Seq
        from transformers import WhisperFeatureExtractor

        torch.set_num_threads(threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.version = (
            f"optimum-onnx {version('optimum-onnx')}, ONNX Runtime {onnxruntime.__version__}"
        )
        self._features = WhisperFeatureExtractor.from_pretrained(weights)
        self._model = ORTModelForSpeechSeq2Seq.from_pretrained(
            weights, use_merged=True, session_options=options
        )
        self._words = Words(weights)

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        features = self._features(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        tokens = generate(self._model, features.input_features, language, self._words)
        return Answer(self._words.text(tokens), PADDED)
