"""What a worker needs of an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine makes of a recording."""

    text: str
    contexts: tuple[float, ...]
    """Seconds of context of every pass of the encoder."""


class Engine(Protocol):
    """Implemented by the class ``Engine`` of every module in :mod:`tools.benchmarks.asr.adapters`."""

    version: str
    """Of its package."""

    def __init__(self, weights: Path, threads: int) -> None:
        """Load the model; it is ready to transcribe then."""

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        """A recording to text, greedily, without timestamps and without earlier text.

        Args:
            samples: mono, 16 kHz, at most 30 s.
            language: Whisper's code; English for a model that knows nothing else.
        """
