"""Short tones, synthesised: quiet, without clicks, and each told from the others by its melody."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtap.answers.answer import Earcon

RATE: Final = 22_050
"""Samples per second: espeak-ng's, so that a device is opened for both at once."""
PEAK: Final = 0.2
"""-14 dBFS: well below speech, which peaks near 0 dBFS."""
_ATTACK_SECONDS: Final = 0.008
"""Shorter ones click."""
_RELEASE_SECONDS: Final = 0.05
_OVERTONES: Final = ((1, 1.0), (2, 0.25), (3, 0.08))
"""Multiples of the pitch and their strengths: softer than a pure tone through a small loudspeaker."""
_C5, _D5, _E5, _G5, _A5, _C6, _D6 = 523.25, 587.33, 659.26, 783.99, 880.0, 1046.5, 1174.66
_MELODIES: Final = {
    Earcon.HEARD: ((_D6, 0.16),),
    Earcon.DONE: ((_G5, 0.09), (_C6, 0.15)),
    Earcon.FAILED: ((_G5, 0.12), (_D5, 0.18)),
    Earcon.QUESTION: ((_C5, 0.08), (_E5, 0.08), (_A5, 0.14)),
}
"""Pitches in hertz and their lengths in seconds: up is well, down is not, and three ask.

They end above 550 Hz: Silero's detector takes lower ones for speech (330 and 262 Hz with probability 0.98,
these with 0.19 at most), so that a microphone may stay open while they sound.
"""


@cache
def tone(earcon: Earcon) -> NDArray[np.float32]:
    """The tone of an earcon: mono at RATE, 0.16 to 0.3 s. It is shared: nobody may write to it."""
    sound = np.concatenate([_note(*note) for note in _MELODIES[earcon]])
    sound.flags.writeable = False
    return sound


def _note(pitch: float, seconds: float) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(
        strength * np.sin(2 * np.pi * pitch * multiple * time) for multiple, strength in _OVERTONES
    )
    rise = np.minimum(time / _ATTACK_SECONDS, 1)
    fall = np.minimum((seconds - time) / _RELEASE_SECONDS, 1)
    # Raised cosines, whose ends are as smooth as their beginnings.
    envelope = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2
    sound: NDArray[np.float32] = (wave * envelope).astype(np.float32)
    sound *= PEAK / np.abs(sound).max()
    return sound
