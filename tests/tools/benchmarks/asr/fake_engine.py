"""An engine that only counts, for a worker's process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Engine:
    def __init__(self, weights: Path, threads: int) -> None:
        print("libraries talk")
        if not weights.exists():
            raise FileNotFoundError(f"no {weights.name}")
        self.version = f"1.{threads}.{os.environ['OPENBLAS_NUM_THREADS']}"

    def transcribe(self, samples: NDArray[np.float32], tokens: int) -> int:
        if tokens == 666:
            sys.exit("the engine gave up")
        if tokens == 667:
            raise ValueError("no such token")
        return tokens + samples.size
