"""Our engine, with as much context as it gives stock weights.

The guards that have a short context encoded again are left out: they look for unlikely and repeated text,
which is all that random weights produce. What finds nothing costs one pass of the answer through the decoder,
which looks for a lost ending, 6 ms for a command of 3 s on base, and not that where the text is dense.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rtap
from rtap.whisper.decode import Search, search
from rtap.whisper.model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.token_rules import TokenRules
from rtap.whisper.window_decoder import context_frames
from tools.benchmarks.asr.adapters.prompt import LANGUAGE

_NO_TOKEN = -1


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`.

    Stops early where it decodes a loop: that rule belongs to the search.
    """

    version = f"rtap {rtap.__version__}"

    def __init__(self, weights: Path, threads: int) -> None:
        self._model = load_model(ModelDirectory.open(weights), threads, wait=False)
        tokenizer = self._model.tokenizer
        assert tokenizer.transcribe is not None
        self._prompt = [
            tokenizer.start_of_transcript,
            tokenizer.languages[LANGUAGE],
            tokenizer.transcribe,
            tokenizer.no_timestamps,
        ]
        self._rules = TokenRules(
            tokenizer, self._model.rules, self._model.dimensions.vocabulary, timestamps=False
        )
        self._random = np.random.default_rng(0)  # asked for by the search, which draws nothing
        self.tokens: list[int] = []

    def frames(self, samples: int) -> int:
        """Log-mel frames that are encoded."""
        model = self._model
        margin = model.directory.manifest.margin_seconds
        return context_frames(samples, model.elastic, model.dimensions.max_frames, margin)

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        model = self._model
        encoded = model.encode(model.log_mel(samples, self.frames(samples.size)))
        decoding = model.decode(encoded)
        logits = decoding.prompt(self._prompt, [len(self._prompt) - 1])
        how = Search(limit=tokens, end_of_text=_NO_TOKEN)
        self.tokens = list(search(decoding, logits, self._rules, how, self._random).tokens)
        model.confirm()
        return len(self.tokens)
