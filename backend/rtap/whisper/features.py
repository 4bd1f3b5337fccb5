"""Log-mel spectrogram as Whisper wants it, in NumPy alone.

The formula is that of OpenAI's ``whisper/audio.py`` (``log_mel_spectrogram``), which transformers'
``WhisperFeatureExtractor`` follows. Both pad the audio to 30 s first. Here only the frames that touch real
audio are computed: the padding is digital silence, whose value after the logarithm is a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ModelError

N_FFT: Final = 400
"""Samples in one analysis window (25 ms)."""
HOP: Final = 160
"""Samples from one frame to the next (10 ms)."""
MAX_FRAMES: Final = 3_000
"""Frames in 30 s, the longest audio that Whisper takes at once."""
MAX_SAMPLES: Final = MAX_FRAMES * HOP

_HALF = N_FFT // 2
_POWER_FLOOR = 1e-10
_RANGE = 8.0
"""Decades of power that are kept below the loudest value (80 dB)."""
_BLOCK_FRAMES = 256
"""Frames transformed at a time: the block's buffers stay within the second-level cache of a small CPU."""


class LogMel:
    """Turns audio into the encoder's input, for one number of mel bands.

    Args:
        n_mels: mel bands, 80 for most checkpoints and 128 from large-v3 on.
    """

    def __init__(self, n_mels: int) -> None:
        if n_mels < 1:
            raise ValueError(f"n_mels is {n_mels}, it must be positive")
        self.n_mels = n_mels
        self._filters = mel_filters(n_mels).astype(np.float32)
        # Periodic Hann window, as torch.hann_window makes it.
        phase = 2.0 * np.pi * np.arange(N_FFT) / N_FFT
        self._window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    @classmethod
    def from_preprocessor(cls, config: Mapping[str, Any]) -> LogMel:
        """Build from the contents of ``preprocessor_config.json``.

        Keys that are absent take Whisper's value, as in transformers.

        Raises:
            ModelError: the file asks for another sampling rate, window or hop than Whisper's.
        """
        for key, expected in (
            ("sampling_rate", SAMPLE_RATE),
            ("n_fft", N_FFT),
            ("hop_length", HOP),
        ):
            if config.get(key, expected) != expected:
                raise ModelError(
                    f"preprocessor_config.json has {key} {config[key]!r}, Whisper needs {expected}: "
                    f"convert a Whisper checkpoint with tools/convert_whisper"
                )
        n_mels = config.get("feature_size", 80)
        if not isinstance(n_mels, int) or isinstance(n_mels, bool) or n_mels < 1:
            raise ModelError(
                f"preprocessor_config.json has feature_size {n_mels!r}, a positive whole number is "
                f"needed: convert the checkpoint again with tools/convert_whisper"
            )
        return cls(n_mels)

    def __call__(self, audio: NDArray[np.float32], frames: int = MAX_FRAMES) -> NDArray[np.float32]:
        """Log-mel spectrogram of the audio followed by silence.

        Equal, within 1e-4, to the first ``frames`` frames that ``WhisperFeatureExtractor`` gives.
        The loudest value of *all* the audio sets the scale, so that a cut changes no frame before it.

        Args:
            audio: mono, 16 kHz, shape (samples,), within -1 to 1. All beyond 30 s is ignored.
            frames: columns of the result, 1 to 3000.

        Returns:
            Shape (n_mels, frames), C-contiguous.

        Raises:
            ValueError: ``audio`` has another shape, or ``frames`` is out of range.
        """
        if audio.ndim != 1:
            raise ValueError(f"audio has shape {audio.shape}, mono samples are needed")
        if not 1 <= frames <= MAX_FRAMES:
            raise ValueError(f"frames is {frames}, it must be from 1 to {MAX_FRAMES}")
        audio = np.asarray(audio[:MAX_SAMPLES], dtype=np.float32)
        log_power = self._log_power(audio)
        loudest = float(log_power.max(initial=np.log10(_POWER_FLOOR)))
        floor = np.float32(loudest - _RANGE)

        silence = max(np.float32(np.log10(_POWER_FLOOR)), floor)
        features = np.full((self.n_mels, frames), silence, dtype=np.float32)
        known = min(frames, log_power.shape[1])
        np.maximum(log_power[:, :known], floor, out=features[:, :known])
        features += np.float32(4.0)
        features *= np.float32(0.25)
        return features

    def _log_power(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """log10 of the mel powers of every frame that touches the audio; shape (n_mels, count)."""
        if not audio.size:
            return np.empty((self.n_mels, 0), dtype=np.float32)
        # Frame t covers the samples from t * HOP - _HALF up to t * HOP + _HALF.
        count = min(-(-(audio.size + _HALF) // HOP), MAX_FRAMES)
        windows = sliding_window_view(_padded(audio, count), N_FFT)[::HOP]
        result = np.empty((self.n_mels, count), dtype=np.float32)
        for begin in range(0, count, _BLOCK_FRAMES):
            block = slice(begin, min(begin + _BLOCK_FRAMES, count))
            spectrum = np.fft.rfft(windows[block] * self._window)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            mel = self._filters @ power.T
            np.log10(np.maximum(mel, np.float32(_POWER_FLOOR)), out=result[:, block])
        return result


def _padded(audio: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The samples under ``count`` frames, as if the audio had been padded to 30 s and then reflected."""
    padded = np.zeros((count - 1) * HOP + N_FFT, dtype=np.float32)
    inside = audio[: padded.size - _HALF]
    padded[_HALF : _HALF + inside.size] = inside
    # Reflection leaves out the first sample itself: -1 becomes 1, -2 becomes 2.
    mirror = audio[1 : _HALF + 1]
    padded[_HALF - mirror.size : _HALF] = mirror[::-1]
    # The end is reflected at 30 s, so only the last frame of audio that is (almost) that long sees it.
    beyond = padded.size - _HALF - MAX_SAMPLES
    if beyond > 0:
        last = padded[_HALF : _HALF + MAX_SAMPLES][-beyond - 1 : -1]
        padded[-beyond:] = last[::-1]
    return padded


@cache
def mel_filters(n_mels: int) -> NDArray[np.float64]:
    """Triangular filters on Slaney's mel scale, each of unit area, from 0 to 8000 Hz.

    M. Slaney, Auditory Toolbox (1998): linear below 1000 Hz with 200/3 Hz to the mel, above it 27 mels
    to a factor of 6.4. This is what librosa's ``filters.mel(sr=16000, n_fft=400)`` computes.

    Returns:
        Shape (n_mels, N_FFT // 2 + 1).
    """
    bins = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    top = _LINEAR_MELS + np.log(SAMPLE_RATE / 2 / _LINEAR_HERTZ) / _LOG_STEP
    mels = np.linspace(0.0, top, n_mels + 2)
    edges = np.where(
        mels < _LINEAR_MELS,
        mels * _LINEAR_HERTZ / _LINEAR_MELS,
        _LINEAR_HERTZ * np.exp(_LOG_STEP * (mels - _LINEAR_MELS)),
    )
    widths = np.diff(edges)
    slopes = edges[:, None] - bins[None, :]
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    filters.flags.writeable = False  # the cache hands the same array to everyone
    result: NDArray[np.float64] = filters
    return result


_LINEAR_HERTZ = 1000.0
_LINEAR_MELS = 15.0
_LOG_STEP = float(np.log(6.4)) / 27.0
