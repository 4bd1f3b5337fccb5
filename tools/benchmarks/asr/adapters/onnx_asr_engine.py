"""onnx-asr, over optimum's graphs.

It decodes up to 448 tokens and has no setting for fewer, so its inner loop is told a limit here; the rest is
what its ``recognize`` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.adapters.prompt import LANGUAGE


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def __init__(self, weights: Path, threads: int) -> None:
        from importlib.metadata import version

        import onnx_asr
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.version = f"onnx-asr {version('onnx-asr')}, ONNX Runtime {onnxruntime.__version__}"
        self._model = onnx_asr.load_model(
            "whisper", weights, quantization="int8", sess_options=options
        )
        self._limit = 0
        self.tokens: list[int] = []
        whisper = self._model.asr
        self._decode = whisper._decoding  # noqa: SLF001 (see above)
        whisper._decoding = self._limited  # noqa: SLF001

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        self._limit = tokens
        self._model.recognize(samples, language=LANGUAGE)
        return len(self.tokens)

    def _limited(self, encoded: Any, prompt: NDArray[np.int64]) -> NDArray[np.int64]:
        sequences: NDArray[np.int64] = self._decode(encoded, prompt, prompt.shape[1] + self._limit)
        self.tokens = sequences[0, prompt.shape[1] :].tolist()
        return sequences
