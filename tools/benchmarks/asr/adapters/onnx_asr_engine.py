"""onnx-asr, over optimum's graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.adapters.prompt import PADDED, Words
from tools.benchmarks.asr.engine import Answer


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        from importlib.metadata import version

        import onnx_asr
        import onnxruntime

        if not Words(weights).is_multilingual:
            raise ValueError(
                "onnx-asr always tells the language, which these weights were not taught"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.version = f"onnx-asr {version('onnx-asr')}, ONNX Runtime {onnxruntime.__version__}"
        self._model = onnx_asr.load_model(
            "whisper", weights, quantization="int8", sess_options=options
        )

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        return Answer(str(self._model.recognize(samples, language=language)), PADDED)
