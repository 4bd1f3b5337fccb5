"""An engine that only counts samples, for a worker's process."""

from __future__ import annotations

import atexit
import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.benchmarks.asr.engine import Answer


class Engine:
    def __init__(self, weights: Path, threads: int) -> None:
        print("libraries talk")
        if not weights.exists():
            raise FileNotFoundError(f"no {weights.name}")
        self.version = f"1.{threads}.{os.environ['OPENBLAS_NUM_THREADS']}"

    def transcribe(self, samples: NDArray[np.float32], language: str) -> Answer:
        if language == "la":
            sys.exit("the engine gave up")
        if language == "eo":
            atexit.register(time.sleep, 600)
        if language == "yi":
            raise ValueError("no such language")
        return Answer(f"{language} {samples.size}", (1.0, 30.0))
