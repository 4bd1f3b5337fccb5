"""Runs the graphs that Hugging Face optimum exports for Whisper.

For models that users have already, and as the reference that our own layout is compared with. The time
axis is fixed at 30 s and every step copies the cache, which is why it is not the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from rtap.whisper.model import Decoding, EncodedAudio, LoadedModel
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.sessions import CPU, open_session, require_tensors

ENCODER = "encoder_model.onnx"
DECODER = "decoder_model.onnx"
DECODER_WITH_PAST = "decoder_with_past_model.onnx"


@dataclass(frozen=True, slots=True)
class _Encoded:
    hidden: NDArray[np.float32]
    """[1, positions, width]"""

    @property
    def positions(self) -> int:
        return int(self.hidden.shape[1])


class OptimumModel(LoadedModel):
    """Implements :class:`rtap.whisper.model.SpeechModel`."""

    def __init__(
        self, directory: ModelDirectory, threads: int, providers: Sequence[str] = CPU
    ) -> None:
        super().__init__(directory, threads)
        path = directory.path
        self._encoder = open_session(directory.file(ENCODER), threads, providers)
        self._first = open_session(directory.file(DECODER), threads, providers)
        self._next = open_session(directory.file(DECODER_WITH_PAST), threads, providers)
        require_tensors(self._encoder, path / ENCODER, ["input_features", "last_hidden_state"])
        require_tensors(
            self._first, path / DECODER, ["input_ids", "encoder_hidden_states", "logits"]
        )
        require_tensors(self._next, path / DECODER_WITH_PAST, ["input_ids", "logits"])

    @property
    def elastic(self) -> Elastic:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        return "no"

    @property
    def aligns_words(self) -> bool:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        return False

    def encode(self, mel: NDArray[np.float32]) -> EncodedAudio:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        self.weights.check()
        return _Encoded(
            self._encoder.run(["last_hidden_state"], {"input_features": mel[np.newaxis]})[0]
        )

    def decode(self, encoded: EncodedAudio, beams: int = 1) -> Decoding:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        assert isinstance(encoded, _Encoded)
        self.weights.check()
        return _OptimumDecoding(self._first, self._next, encoded, beams)

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raises: ConfigurationError: always, these graphs do not show their attention."""
        del encoded, tokens, positions
        raise self._no_attention()

    def last_attention(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> NDArray[np.float32]:
        """Raises: ConfigurationError: always, as for :meth:`alignment_weights`."""
        del encoded, tokens, positions
        raise self._no_attention()

    def _no_attention(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.directory.path} is in optimum's layout, which has no word timestamps: "
            f"convert the checkpoint with tools/convert_whisper --layout rtap"
        )


class _OptimumDecoding:
    """Implements :class:`rtap.whisper.model.Decoding`."""

    def __init__(
        self,
        first: onnxruntime.InferenceSession,
        following: onnxruntime.InferenceSession,
        encoded: _Encoded,
        beams: int,
    ) -> None:
        self._first = first
        self._next = following
        self._encoded = encoded
        self._beams = beams
        self._tokens: list[int] = []
        self._past: dict[str, NDArray[np.float32]] = {}

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.Decoding`.

        The graph with a cache takes one token at a time, so the prompt so far is run again with the rest.
        """
        start = len(self._tokens)
        self._tokens += tokens
        inputs = {
            "input_ids": np.array([self._tokens], np.int64),
            "encoder_hidden_states": self._encoded.hidden,
        }
        names = [output.name for output in self._first.get_outputs()]
        outputs = dict(zip(names, self._first.run(names, inputs), strict=True))
        logits: NDArray[np.float32] = outputs.pop("logits")
        self._past = {
            name.replace("present", "past_key_values"): cache for name, cache in outputs.items()
        }
        return logits[0, [start + row for row in rows]]

    def fan_out(self) -> None:
        """See :class:`rtap.whisper.model.Decoding`."""
        self._past = {
            name: np.repeat(cache, self._beams, axis=0) for name, cache in self._past.items()
        }

    def step(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.Decoding`."""
        wanted = {tensor.name for tensor in self._next.get_inputs()}
        inputs = {"input_ids": tokens[:, np.newaxis], **self._past}
        names = [output.name for output in self._next.get_outputs()]
        feed = {name: array for name, array in inputs.items() if name in wanted}
        outputs = dict(zip(names, self._next.run(names, feed), strict=True))
        logits: NDArray[np.float32] = outputs.pop("logits")
        for name, cache in outputs.items():
            self._past[name.replace("present", "past_key_values")] = cache
        return logits[:, -1]

    def select(self, beams: NDArray[np.int64]) -> None:
        """See :class:`rtap.whisper.model.Decoding`."""
        self._past = {name: cache[beams] for name, cache in self._past.items()}
