"""Our engine as the product uses it on an utterance: the context that the weights bear, and its guards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rtap
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from tools.benchmarks.asr.engine import Answer


class Engine:
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    version = f"rtap {rtap.__version__}"

    def __init__(self, weights: Path, threads: int) -> None:
        model = load_model(self.directory(weights), threads, wait=False)
        # The recordings are utterances already, as the segmenter cuts them.
        self._transcriber = Transcriber(model, vad=None)

    def directory(self, weights: Path) -> ModelDirectory:
        """The model as it is used."""
        return ModelDirectory.open(weights)

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """See :class:`tools.benchmarks.asr.engine.Engine`."""
        found = self._transcriber.transcribe([samples], TranscribeOptions(language=language))
        return Answer(found.text, found.contexts)
