"""whisper.cpp through pywhispercpp; its wheel for x86-64 goes up to AVX2."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.engine import Answer

POSITIONS_PER_SECOND = 50
_MOST_POSITIONS = 1500


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    flash_attention: ClassVar[bool] = True
    """Its default."""

    def __init__(self, weights: Path, threads: int) -> None:
        from importlib.metadata import version

        from pywhispercpp.model import Model

        self.version = f"pywhispercpp {version('pywhispercpp')}"
        self._model = Model(
            str(weights),
            redirect_whispercpp_logs_to=None,
            context_params={"flash_attn": self.flash_attention},
            n_threads=threads,
            single_segment=True,
            no_timestamps=True,
            no_context=True,
            temperature_inc=0.0,  # no retry
            print_progress=False,
        )

    def positions(self, samples: int) -> int:  # noqa: ARG002
        """Of the encoder, 50 per second."""
        return _MOST_POSITIONS

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        positions = min(self.positions(samples.size), _MOST_POSITIONS)
        # 0 stands for all of them.
        shortened = 0 if positions == _MOST_POSITIONS else positions
        segments = self._model.transcribe(samples, audio_ctx=shortened, language=language)
        text = " ".join(segment.text.strip() for segment in segments)
        return Answer(text, (positions / POSITIONS_PER_SECOND,))
