"""One channel out of several."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_AUDIBLE: Final = 1e-8
"""Mean square of a channel (-80 dBFS): noise below it says nothing."""
_CANCELLED: Final = 0.1
"""Of the power that the mean of unrelated channels has. In equal channels it is as many times as high as
there are channels; where one is the other inverted, next to nothing is left."""


def mixed(
    sound: NDArray[np.float32], channel: int | None = None
) -> tuple[NDArray[np.float32], int | None]:
    """The mean of all channels, or one of them once they were found to cancel each other.

    Args:
        sound: shape (frames, channels).
        channel: what the last call returned; it stays, as a voice that changes its level is hard to follow.

    Returns:
        Shape (frames,), and the channel that is taken, the loudest; None: the mean.
    """
    frames, channels = sound.shape
    if channels == 1:
        return sound[:, 0], None
    if channel is not None and channel < channels:
        return sound[:, channel], channel
    mean = sound.mean(axis=1, dtype=np.float32)
    powers = np.einsum("ij,ij->j", sound, sound) / max(1, frames)
    loudest = int(powers.argmax())
    unrelated = float(powers.sum()) / channels**2
    is_cancelled = float(mean @ mean) < _CANCELLED * unrelated * frames
    if powers[loudest] < _AUDIBLE or not is_cancelled:
        return mean, None
    return sound[:, loudest], loudest
