"""The one form that audio has inside this project: mono, float32 within -1 to 1, at one sampling rate."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono audio at :data:`SAMPLE_RATE`, float32 within -1 to 1, shape (samples,)."""
SAMPLE_RATE: Final = 16_000
"""Samples per second: what Whisper, the voice activity detector and the wake words were trained on."""
VAD_CHUNK: Final = 512
"""Samples that the voice activity detector judges at a time: 32 ms. Fixed by Silero's network."""
