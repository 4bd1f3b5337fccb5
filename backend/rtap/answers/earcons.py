"""Short tones, synthesised: quiet, without clicks, and each told from the others by its melody."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from rtap.answers.answer import Earcon
from rtap.audio.format import Samples

RATE: Final = 22_050
"""Samples per second: espeak-ng's, so that a device is opened for both at once."""
PEAK: Final = 0.2
"""-14 dBFS: well below speech, which peaks near 0 dBFS."""
_ATTACK_SECONDS: Final = 0.008
"""Shorter ones click."""
_RELEASE_SECONDS: Final = 0.05
_OVERTONES: Final = ((1, 1.0), (2, 0.25), (3, 0.08))
"""Multiples of the pitch and their strengths: softer than a pure tone through a small loudspeaker."""
_C5, _E5, _G5, _A5, _C6, _E4, _C4 = 523.25, 659.26, 783.99, 880.0, 1046.5, 329.63, 261.63
_MELODIES: Final = {
    Earcon.HEARD: ((_A5, 0.16),),
    Earcon.DONE: ((_G5, 0.09), (_C6, 0.15)),
    Earcon.FAILED: ((_E4, 0.12), (_C4, 0.18)),
    Earcon.QUESTION: ((_C5, 0.08), (_E5, 0.08), (_A5, 0.14)),
}
"""Pitches in hertz and their lengths in seconds: up is well, low and down is not, and three ask."""


@cache
def tone(earcon: Earcon) -> Samples:
    """The tone of an earcon: mono at RATE, 0.16 to 0.3 s. It is shared: nobody may write to it."""
    sound = np.concatenate([_note(*note) for note in _MELODIES[earcon]])
    sound.flags.writeable = False
    return sound


def _note(pitch: float, seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(
        strength * np.sin(2 * np.pi * pitch * multiple * time) for multiple, strength in _OVERTONES
    )
    rise = np.minimum(time / _ATTACK_SECONDS, 1)
    fall = np.minimum((seconds - time) / _RELEASE_SECONDS, 1)
    # Raised cosines, whose ends are as smooth as their beginnings.
    envelope = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2
    sound = wave * envelope
    return (PEAK / np.abs(sound).max() * sound).astype(np.float32)
