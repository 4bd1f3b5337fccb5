"""Those classes of the package ``wyoming`` that cannot be imported without a warning.

It imports ``audioop``, which Python 3.11 and 3.12 call deprecated, and has its own in later versions, where
there is none.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.info import (
        AsrModel,
        AsrProgram,
        Attribution,
        Describe,
        HandleModel,
        HandleProgram,
        Info,
        IntentModel,
        IntentProgram,
        WakeModel,
        WakeProgram,
    )
    from wyoming.wake import Detect, Detection, NotDetected

__all__ = [
    "AsrModel",
    "AsrProgram",
    "Attribution",
    "AudioChunk",
    "AudioStart",
    "AudioStop",
    "Describe",
    "Detect",
    "Detection",
    "HandleModel",
    "HandleProgram",
    "Info",
    "IntentModel",
    "IntentProgram",
    "NotDetected",
    "WakeModel",
    "WakeProgram",
]
