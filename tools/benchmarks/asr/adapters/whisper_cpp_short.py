"""whisper.cpp with ``audio_ctx`` set to the audio's length, its own switch for short audio.

Its flash attention pads the keys to a multiple of 256 and lets the padding take part, so that of a short
context something else is decoded: 1 of 13 tokens as the other engines have them for 3 s, without it 13, in
the same time.
"""

from __future__ import annotations

from typing import ClassVar

from tools.benchmarks.asr.adapters import whisper_cpp

_SAMPLES_PER_POSITION = 320
_MOST = 1500


class Engine(whisper_cpp.Engine):
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    flash_attention: ClassVar[bool] = False

    def context(self, samples: int) -> int:
        """Encoder positions, 50 per second."""
        return min(-(-samples // _SAMPLES_PER_POSITION), _MOST)
