"""Less noise and even loudness, by WebRTC's audio processing through webrtc-noise-gain.

What the library does, as measured on the spoken commands in tests/audio:

- Digital silence stays digital silence, with any gain; hiss at -60 dBFS comes out at -65 with the default
  settings, so the gain does not lift what the suppressor leaves. A constant offset is removed.
- The gain is 10 dB at most, with a limiter below full scale; its number makes hardly any difference.
- A suppressor that has heard nothing takes the first half second of speech for noise and lowers it by up
  to 9 dB. So each stream is preceded by 0.3 s of faint noise: speech then passes within 0.4 dB from its
  first sample on, and noise is suppressed in full (12 dB at level 2) after a second.
- The suppressor delays by 96 samples (6 ms), which is made up for here: samples keep their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.pcm16 import from_pcm16, to_pcm16
from rtap.errors import ConfigurationError

if TYPE_CHECKING:
    from webrtc_noise_gain import AudioProcessor

_FRAME: Final = SAMPLE_RATE // 100
"""Samples that the library takes at a time."""
_SUPPRESSOR_DELAY: Final = 96
_PRIMING_SECONDS: Final = 0.3
_PRIMING_LEVEL: Final = 0.002
"""Standard deviation: -54 dBFS, a quiet room."""


class Denoiser:
    """One stream of audio: use one object per stream, or :meth:`reset`. Making and resetting one takes 2 ms.

    Up to 16 ms of audio wait inside for their neighbours; :meth:`flush` brings them at the end, so a stream
    has as many samples after as before. With both settings 0 it returns what it gets and loads nothing.

    Args:
        noise_suppression: 0 (off) to 4 (most).
        auto_gain_dbfs: 0 (off) to 31.

    Raises:
        ConfigurationError: a setting is out of range.
    """

    def __init__(self, noise_suppression: int, auto_gain_dbfs: int) -> None:
        _check("preprocess.noise_suppression", noise_suppression, 4)
        _check("preprocess.auto_gain_dbfs", auto_gain_dbfs, 31)
        self._settings = (auto_gain_dbfs, noise_suppression)
        self._delay = _SUPPRESSOR_DELAY if noise_suppression else 0
        self._is_on = bool(noise_suppression or auto_gain_dbfs)
        self.reset()

    def reset(self) -> None:
        """Forget the stream: noise, loudness and samples left over."""
        self._remainder: NDArray[np.int16] = np.empty(0, dtype=np.int16)
        self._to_skip: int = self._delay
        self._missing = 0
        """Samples that were given and are still to be returned."""
        self._processor = self._primed() if self._is_on else None

    def clean(self, samples: Samples) -> Samples:
        """Process the next samples of the stream.

        Args:
            samples: shape (samples,), any number.

        Returns:
            Those that are ready, shape (samples,), in order: as many as were given, give or take 16 ms.
        """
        if self._processor is None:
            return samples
        joined = np.concatenate((self._remainder, to_pcm16(samples)))
        whole = joined.size - joined.size % _FRAME
        self._remainder = joined[whole:].copy()
        frames = joined[:whole].reshape(-1, _FRAME)
        processed = b"".join(self._processor.Process10ms(frame.tobytes()).audio for frame in frames)
        cleaned = from_pcm16(np.frombuffer(processed, dtype=np.int16))
        skipped = min(self._to_skip, cleaned.size)
        self._to_skip -= skipped
        self._missing += samples.size - (cleaned.size - skipped)
        return cleaned[skipped:]

    def flush(self) -> Samples:
        """End the stream: what is left of it. The object is then ready for another stream."""
        if self._processor is None:
            return np.empty(0, dtype=np.float32)
        missing = self._missing
        rest = self.clean(np.zeros(self._delay + _FRAME, dtype=np.float32))[:missing]
        self.reset()
        return rest

    def _primed(self) -> AudioProcessor:
        from webrtc_noise_gain import AudioProcessor

        processor = AudioProcessor(*self._settings)
        length = int(_PRIMING_SECONDS * SAMPLE_RATE) if self._delay else 0
        noise = np.random.default_rng(0).normal(0.0, _PRIMING_LEVEL, length).astype(np.float32)
        # The silent frame keeps the noise from ringing on into the stream.
        noise = np.concatenate((noise, np.zeros(_FRAME, dtype=np.float32)))
        for frame in to_pcm16(noise).reshape(-1, _FRAME):
            processor.Process10ms(frame.tobytes())
        return processor


def _check(name: str, value: int, largest: int) -> None:
    if not 0 <= value <= largest:
        raise ConfigurationError(f"{name} is {value}: set it to 0 (off) to {largest}")
