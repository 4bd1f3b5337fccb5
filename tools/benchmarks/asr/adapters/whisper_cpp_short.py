"""whisper.cpp with ``audio_ctx`` set to the audio's length, its own switch for short audio.

On the weights that were adapted to that, where there are some. Its flash attention pads the keys to a
multiple of 256 and lets the padding take part, so that something else is decoded of a short context; it is
off here.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rtap.audio.format import SAMPLE_RATE
from tools.benchmarks.asr.adapters import whisper_cpp
from tools.benchmarks.asr.margin import margin_beside

_SAMPLES_PER_POSITION = SAMPLE_RATE // whisper_cpp.POSITIONS_PER_SECOND


class Engine(whisper_cpp.Engine):
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    flash_attention: ClassVar[bool] = False

    def __init__(self, weights: Path, threads: int) -> None:
        super().__init__(weights, threads)
        self._margin = round(margin_beside(weights.parent) * SAMPLE_RATE)

    def positions(self, samples: int) -> int:
        """Of the encoder, 50 per second."""
        return -(-(samples + self._margin) // _SAMPLES_PER_POSITION)
