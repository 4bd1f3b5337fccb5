"""whisper.cpp through pywhispercpp; its wheel for x86-64 goes up to AVX2."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.adapters.prompt import LANGUAGE


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`.

    It goes one token beyond its limit, and a limit of 0 is none: at least two tokens are decoded.
    """

    flash_attention: ClassVar[bool] = True
    """Its default."""

    def __init__(self, weights: Path, threads: int) -> None:
        from importlib.metadata import version

        import _pywhispercpp
        from pywhispercpp.model import Model

        self.version = f"pywhispercpp {version('pywhispercpp')}"
        self._native = _pywhispercpp
        self._model = Model(
            str(weights),
            redirect_whispercpp_logs_to=None,
            context_params={"flash_attn": self.flash_attention},
            n_threads=threads,
            language=LANGUAGE,
            single_segment=True,
            no_timestamps=True,
            no_context=True,
            temperature_inc=0.0,  # no retry
            print_progress=False,
        )
        self.tokens: list[int] = []

    def context(self, samples: int) -> int:  # noqa: ARG002
        """Encoder positions, 50 per second; 0 for those of 30 s."""
        return 0

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        self._model.transcribe(
            samples, audio_ctx=self.context(samples.size), max_tokens=max(1, tokens - 1)
        )
        native, state = self._native, self._model._ctx  # noqa: SLF001 (the wrapper counts no tokens)
        self.tokens = [
            native.whisper_full_get_token_id(state, segment, index)
            for segment in range(native.whisper_full_n_segments(state))
            for index in range(native.whisper_full_n_tokens(state, segment))
        ]
        return len(self.tokens)
