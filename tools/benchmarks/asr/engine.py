"""What a worker needs of an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Implemented by the class ``Engine`` of every module in :mod:`tools.benchmarks.asr.adapters`."""

    version: str
    """Of its package."""

    def __init__(self, weights: Path, threads: int) -> None:
        """Load the model; it is ready to transcribe then."""

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        """Features, encoder and so many greedy steps of the decoder.

        Args:
            samples: mono, 16 kHz, at most 30 s.

        Returns:
            How many tokens were decoded: ``tokens``, where the engine can be told so.
        """
