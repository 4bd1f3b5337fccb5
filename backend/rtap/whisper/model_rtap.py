"""Runs the graphs that tools/convert_whisper exports in the rtap layout.

The decoder's inputs and outputs are bound to buffers that live as long as the model: a step writes three
integers, runs the graph and reads the logits where they were left. Nothing is copied or allocated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rtap.whisper.model import Decoding, Dimensions, EncodedAudio, LoadedModel
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.sessions import (
    CPU,
    long_audio_options,
    open_session,
    require_sizes,
    require_tensors,
)

ENCODER = "encoder.onnx"
DECODER = "decoder.onnx"
_KINDS = ("key", "value")
_LONG_FRAMES = 1000
"""10 s. Commands are shorter; for them memory at hand is worth more than memory given back."""
_ALIGNED_AT_A_TIME = 32
"""Tokens: the logits of a whole window would take as much memory as half of an int8 model."""
_TIMES = ("past", "present")
_STEP_TENSORS = (
    "input_ids",
    "position_ids",
    "logit_positions",
    "last_positions",
    "total_length",
    "logits",
)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Cross-attention keys and values [1, heads, positions, head size], by their decoder inputs' names."""

    tensors: dict[str, NDArray[np.float32]]

    @property
    def positions(self) -> int:
        return int(next(iter(self.tensors.values())).shape[2])


class RtapModel(LoadedModel):
    """Implements :class:`rtap.whisper.model.SpeechModel`."""

    def __init__(
        self, directory: ModelDirectory, threads: int, providers: Sequence[str] = CPU
    ) -> None:
        super().__init__(directory, threads)
        path = directory.path
        self._encoder = open_session(path / ENCODER, threads, providers)
        self._decoder = open_session(path / DECODER, threads, providers)
        layers = range(self.dimensions.decoder_layers)
        self._cross = [f"cross_{kind}.{layer}" for layer in layers for kind in _KINDS]
        self._queries = [f"cross_query.{layer}" for layer in layers]
        require_tensors(self._encoder, path / ENCODER, ["input_features", *self._cross])
        bound = [*_STEP_TENSORS, *self._cross, *self._queries]
        bound += [f"{time}_{kind}.{i}" for time in _TIMES for kind in _KINDS for i in layers]
        require_tensors(self._decoder, path / DECODER, bound)
        heads = {1: self.dimensions.decoder_heads, 3: self.dimensions.head_size}
        mels, words = {1: self.dimensions.mels}, {1: self.dimensions.vocabulary}
        require_sizes(self._encoder, path / ENCODER, {"input_features": mels, "cross_key.0": heads})
        require_sizes(self._decoder, path / DECODER, {"logits": words, "past_key.0": heads})
        # For 30 s they are as large as a third of an int8 model: there is never more than one set.
        longest = self.dimensions.width * self.dimensions.max_frames // 2
        self._cross_memory = {name: np.zeros(longest, np.float32) for name in self._cross}
        self._latest: _Encoded | None = None
        self._decodings: dict[int, _RtapDecoding] = {}

    @property
    def elastic(self) -> Elastic:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        return self.directory.manifest.elastic

    @property
    def aligns_words(self) -> bool:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        return True

    def encode(self, mel: NDArray[np.float32]) -> EncodedAudio:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        shape = (1, self.dimensions.decoder_heads, mel.shape[1] // 2, self.dimensions.head_size)
        length = self.dimensions.width * shape[2]
        tensors = {
            name: memory[:length].reshape(shape) for name, memory in self._cross_memory.items()
        }
        # Bound by address: a slice of longer features would be read wrongly.
        mel = np.ascontiguousarray(mel[np.newaxis])
        binding = self._encoder.io_binding()
        _bind_input(binding, "input_features", mel)
        for name, tensor in tensors.items():
            _bind_output(binding, name, tensor)
        options = long_audio_options() if mel.shape[2] > _LONG_FRAMES else None
        self._encoder.run_with_iobinding(binding, options)
        self._latest = _Encoded(tensors)
        return self._latest

    def decode(self, encoded: EncodedAudio, beams: int = 1) -> Decoding:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        if encoded is not self._latest:
            raise ValueError(
                "this encoded audio has been overwritten by a later one: encode it again"
            )
        assert isinstance(encoded, _Encoded)
        decoding = self._decodings.get(beams)
        if decoding is None:
            decoding = _RtapDecoding(self._decoder, self.dimensions, beams)
            self._decodings[beams] = decoding
        decoding.start(encoded)
        return decoding

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        assert isinstance(encoded, _Encoded)
        decoding = self.decode(encoded)
        assert isinstance(decoding, _RtapDecoding)
        heads = self._alignment_heads()
        weights = np.empty((len(heads), len(tokens), positions), np.float32)
        probabilities = np.ones(len(tokens), np.float32)
        for begin in range(0, len(tokens), _ALIGNED_AT_A_TIME):
            part = tokens[begin : begin + _ALIGNED_AT_A_TIME]
            logits, queries = decoding.prompt_with_queries(part, range(len(part)), self._queries)
            for index, (layer, head) in enumerate(heads):
                attention = self._attention(queries[layer], encoded, layer, head, positions)
                weights[index, begin : begin + len(part)] = attention
            following = tokens[begin + 1 : begin + 1 + len(part)]
            probabilities[begin + 1 : begin + 1 + len(following)] = text_probabilities(
                logits, following, self.tokenizer.end_of_text
            )
        return weights, probabilities

    def _alignment_heads(self) -> Sequence[tuple[int, int]]:
        """Those of the model's card, else, as OpenAI's code does, all of the upper half."""
        if self.rules.alignment_heads:
            return self.rules.alignment_heads
        layers, heads = self.dimensions.decoder_layers, self.dimensions.decoder_heads
        return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]

    def _attention(
        self, query: NDArray[np.float32], encoded: _Encoded, layer: int, head: int, positions: int
    ) -> NDArray[np.float32]:
        """Scaled dot-product attention probabilities [tokens, positions] of one head."""
        size = self.dimensions.head_size
        key = encoded.tensors[f"cross_key.{layer}"][0, head, :positions]
        scores: NDArray[np.float32] = (
            query[0, :, head * size : (head + 1) * size] @ key.T / np.sqrt(np.float32(size))
        )
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores


class _RtapDecoding:
    """Implements :class:`rtap.whisper.model.Decoding` for a fixed number of beams."""

    def __init__(
        self, session: onnxruntime.InferenceSession, dimensions: Dimensions, beams: int
    ) -> None:
        self._session = session
        self._dimensions = dimensions
        self._beams = beams
        self._length = 0
        self._encoded: _Encoded | None = None
        shape = (beams, dimensions.decoder_heads, dimensions.max_tokens, dimensions.head_size)
        # Zeroed pages cost no memory until a step writes them.
        self._cache = {
            f"{kind}.{layer}": np.zeros(shape, np.float32)
            for layer in range(dimensions.decoder_layers)
            for kind in _KINDS
        }
        self._tokens = np.zeros((beams, 1), np.int64)
        self._position = np.zeros(1, np.int64)
        self._row = np.zeros(1, np.int64)
        self._last = np.zeros(beams, np.int32)
        self._total = np.zeros((), np.int32)
        self._logits = np.zeros((beams, dimensions.vocabulary), np.float32)
        self._step_binding = self._bind(
            self._tokens, self._position, self._row, self._last, beams, self._logits
        )

    def start(self, encoded: _Encoded) -> None:
        """Forget the last audio and take up another."""
        self._length = 0
        self._encoded = encoded
        for name, value in encoded.tensors.items():
            _bind_input(self._step_binding, name, value)

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.Decoding`."""
        return self.prompt_with_queries(tokens, rows, ())[0]

    def prompt_with_queries(
        self, tokens: Sequence[int], rows: Sequence[int], names: Sequence[str]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """A prompt that also gives those cross-attention queries [1, tokens, width] that are named."""
        logits = np.empty((len(rows), self._dimensions.vocabulary), np.float32)
        binding = self._bind_prompt(tokens, rows, logits)
        queries = [np.empty((1, len(tokens), self._dimensions.width), np.float32) for _ in names]
        for name, query in zip(names, queries, strict=True):
            _bind_output(binding, name, query)
        self._session.run_with_iobinding(binding)
        self._length += len(tokens)
        return logits, queries

    def _bind_prompt(
        self, tokens: Sequence[int], rows: Sequence[int], logits: NDArray[np.float32]
    ) -> onnxruntime.IOBinding:
        total = self._length + len(tokens)
        self._total[...] = total
        self._prompt_inputs = (
            np.array([tokens], np.int64),
            np.arange(self._length, total, dtype=np.int64),
            np.array(rows, np.int64),
            np.array([total - 1], np.int32),
        )
        assert self._encoded is not None
        binding = self._bind(*self._prompt_inputs, 1, logits)
        for name, value in self._encoded.tensors.items():
            _bind_input(binding, name, value)
        return binding

    def fan_out(self) -> None:
        """See :class:`rtap.whisper.model.Decoding`."""
        for cache in self._cache.values():
            cache[1:, :, : self._length] = cache[:1, :, : self._length]

    def step(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.Decoding`."""
        self._tokens[:, 0] = tokens
        self._position[0] = self._length
        self._last[:] = self._length
        self._length += 1
        self._total[...] = self._length
        self._session.run_with_iobinding(self._step_binding)
        return self._logits

    def select(self, beams: NDArray[np.int64]) -> None:
        """See :class:`rtap.whisper.model.Decoding`."""
        if np.array_equal(beams, np.arange(self._beams)):
            return
        for cache in self._cache.values():
            cache[:, :, : self._length] = cache[beams, :, : self._length]

    def _bind(
        self,
        tokens: NDArray[np.int64],
        positions: NDArray[np.int64],
        rows: NDArray[np.int64],
        last: NDArray[np.int32],
        beams: int,
        logits: NDArray[np.float32],
    ) -> onnxruntime.IOBinding:
        """Bind everything but the audio. ONNX Runtime keeps the addresses, so the caller keeps the arrays."""
        binding = self._session.io_binding()
        _bind_input(binding, "input_ids", tokens)
        _bind_input(binding, "position_ids", positions)
        _bind_input(binding, "logit_positions", rows)
        _bind_input(binding, "last_positions", last)
        _bind_input(binding, "total_length", self._total)
        for name, cache in self._cache.items():
            # The same memory in and out: attention then appends in place.
            _bind_input(binding, f"past_{name}", cache[:beams])
            _bind_output(binding, f"present_{name}", cache[:beams])
        _bind_output(binding, "logits", logits)
        return binding


def text_probabilities(
    logits: NDArray[np.float32], following: Sequence[int], text_tokens: int
) -> NDArray[np.float32]:
    """How likely each row's next token was.

    Args:
        logits: [rows, vocabulary]; rows beyond ``following`` are not looked at.
        following: the token that came after each row.
        text_tokens: ids below this are text; the others do not count, as in OpenAI's ``timing.py``.
    """
    result = np.empty(len(following), np.float32)
    for index, token in enumerate(following):
        text = logits[index, :text_tokens]
        peak = text.max()
        result[index] = np.exp(logits[index, token] - peak) / np.exp(text - peak).sum()
    return result


def _bind_input(binding: onnxruntime.IOBinding, name: str, array: NDArray[np.generic]) -> None:
    binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)


def _bind_output(binding: onnxruntime.IOBinding, name: str, array: NDArray[np.generic]) -> None:
    binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
