"""Runs the graphs that tools/convert_whisper exports in the rtap layout.

The decoder's inputs and outputs are bound to buffers that live as long as the model: a step writes three
integers, runs the graph and reads the logits where they were left. Nothing is copied or allocated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rtap.whisper.cross_cache import (
    KINDS,
    ROOM,
    CrossCache,
    CrossInputs,
    CrossTensors,
    cross_names,
)
from rtap.whisper.model import Decoding, EncodedAudio, LoadedModel
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.model_settings import Dimensions
from rtap.whisper.sessions import (
    CPU,
    long_audio_options,
    open_session,
    require_sizes,
    require_tensors,
)

ENCODER = "encoder.onnx"
DECODER = "decoder.onnx"
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


class RtapModel(LoadedModel):
    """Implements :class:`rtap.whisper.model.SpeechModel`."""

    def __init__(
        self, directory: ModelDirectory, threads: int, providers: Sequence[str] = CPU
    ) -> None:
        super().__init__(directory, threads)
        path = directory.path
        # The larger one first: while it is packed, there are two copies of its largest matrix.
        self._decoder = open_session(directory.file(DECODER), threads, providers)
        self._encoder = open_session(directory.file(ENCODER), threads, providers)
        layers = range(self.dimensions.decoder_layers)
        cross = cross_names(self.dimensions.decoder_layers)
        self._queries = [f"cross_query.{layer}" for layer in layers]
        require_tensors(self._encoder, path / ENCODER, ["input_features", *cross])
        bound = [*_STEP_TENSORS, *cross, *self._queries]
        bound += [f"{time}_{kind}.{i}" for time in _TIMES for kind in KINDS for i in layers]
        require_tensors(self._decoder, path / DECODER, bound)
        heads = {1: self.dimensions.decoder_heads, 3: self.dimensions.head_size}
        mels, words = {1: self.dimensions.mels}, {1: self.dimensions.vocabulary}
        require_sizes(self._encoder, path / ENCODER, {"input_features": mels, "cross_key.0": heads})
        require_sizes(self._decoder, path / DECODER, {"logits": words, "past_key.0": heads})
        # For 30 s they are large: there is never more than one set.
        self._cross = CrossCache.of(self._encoder, self.dimensions)
        self._latest: CrossTensors | None = None
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
        self.weights.check()
        encoded = self._cross.sized(mel.shape[1] // 2)
        # Bound by address: a slice of longer features would be read wrongly.
        mel = np.ascontiguousarray(mel[np.newaxis])
        binding = self._encoder.io_binding()
        _bind_input(binding, "input_features", mel)
        for name, tensor in encoded.outputs():
            _bind_output(binding, name, tensor)
        options = long_audio_options() if mel.shape[2] > _LONG_FRAMES else None
        self._encoder.run_with_iobinding(binding, options)
        self._latest = encoded
        return encoded

    def decode(self, encoded: EncodedAudio, beams: int = 1) -> Decoding:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        if encoded is not self._latest:
            raise ValueError(
                "this encoded audio has been overwritten by a later one: encode it again"
            )
        assert isinstance(encoded, CrossTensors)
        decoding = self._decodings.get(beams)
        if decoding is None:
            decoding = _RtapDecoding(self._decoder, self.dimensions, beams, self.weights.check)
            self._decodings[beams] = decoding
        decoding.start(encoded)
        return decoding

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        assert isinstance(encoded, CrossTensors)
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

    def last_attention(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.SpeechModel`."""
        assert isinstance(encoded, CrossTensors)
        decoding = self.decode(encoded)
        assert isinstance(decoding, _RtapDecoding)
        _, queries = decoding.prompt_with_queries(tokens[:-1], [], self._queries)
        return np.concatenate(
            [
                self._attention(queries[layer][:, -1:], encoded, layer, head, positions)
                for layer, head in self._alignment_heads()
            ]
        )

    def _alignment_heads(self) -> Sequence[tuple[int, int]]:
        """Those of the model's card, else, as OpenAI's code does, all of the upper half."""
        if self.rules.alignment_heads:
            return self.rules.alignment_heads
        layers, heads = self.dimensions.decoder_layers, self.dimensions.decoder_heads
        return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]

    def _attention(
        self,
        query: NDArray[np.float32],
        encoded: CrossTensors,
        layer: int,
        head: int,
        positions: int,
    ) -> NDArray[np.float32]:
        """Scaled dot-product attention probabilities [tokens, positions] of one head."""
        size = self.dimensions.head_size
        key = encoded.floats(f"cross_key.{layer}", slice(head, head + 1))[0, 0, :positions]
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
        self,
        session: onnxruntime.InferenceSession,
        dimensions: Dimensions,
        beams: int,
        check_weights: Callable[[], None],
    ) -> None:
        self._session = session
        self._check_weights = check_weights
        self._dimensions = dimensions
        self._beams = beams
        self._length = 0
        self._encoded: CrossTensors | None = None
        self._kept: list[object] = []
        """What is bound by its address, and would be freed else."""
        shape = (beams, dimensions.decoder_heads, dimensions.max_tokens, dimensions.head_size)
        # Zeroed pages cost no memory until a step writes them.
        self._cache = {
            f"{kind}.{layer}": np.zeros(shape, np.float32)
            for layer in range(dimensions.decoder_layers)
            for kind in KINDS
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

    def start(self, encoded: CrossTensors) -> None:
        """Forget the last audio and take up another."""
        self._length = 0
        self._encoded = encoded
        self._kept = [self._bind_audio(self._step_binding, self._beams)]

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        """See :class:`rtap.whisper.model.Decoding`."""
        return self.prompt_with_queries(tokens, rows, ())[0]

    def prompt_with_queries(
        self, tokens: Sequence[int], rows: Sequence[int], names: Sequence[str]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """A prompt that also gives those cross-attention queries [1, tokens, width] that are named."""
        logits = np.empty((len(rows), self._dimensions.vocabulary), np.float32)
        queries = [np.empty((1, len(tokens), self._dimensions.width), np.float32) for _ in names]
        for begin in range(0, len(tokens), ROOM):
            part = tokens[begin : begin + ROOM]
            asked = [index for index, row in enumerate(rows) if begin <= row < begin + len(part)]
            there, found = self._run_prompt(part, [rows[index] - begin for index in asked], names)
            logits[asked] = there[: len(asked)]
            for query, one in zip(queries, found, strict=True):
                query[:, begin : begin + len(part)] = one
        return logits, queries

    def _run_prompt(
        self, tokens: Sequence[int], rows: Sequence[int], names: Sequence[str]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        total = self._length + len(tokens)
        self._total[...] = total
        # No graph likes to predict after none of the tokens.
        wanted = list(rows) or [0]
        logits = np.empty((len(wanted), self._dimensions.vocabulary), np.float32)
        inputs = (
            np.array([tokens], np.int64),
            np.arange(self._length, total, dtype=np.int64),
            np.array(wanted, np.int64),
            np.array([total - 1], np.int32),
        )
        binding = self._bind(*inputs, 1, logits)
        kept = self._bind_audio(binding, len(tokens))
        queries = [np.empty((1, len(tokens), self._dimensions.width), np.float32) for _ in names]
        for name, query in zip(names, queries, strict=True):
            _bind_output(binding, name, query)
        self._check_weights()
        self._session.run_with_iobinding(binding)
        del kept
        self._length = total
        return logits, queries

    def _bind_audio(self, binding: onnxruntime.IOBinding, queries: int) -> CrossInputs | None:
        """Bind the audio's keys and values; returns what must live as long as the binding is used."""
        encoded = self._encoded
        assert encoded is not None
        for name, value in encoded.outputs():
            _bind_input(binding, name, value)
        if not encoded.scales:
            return None
        for name, value in encoded.tensors.items():
            _bind_output(binding, f"cross_present_{name.removeprefix('cross_')}", value)
        inputs = CrossInputs.of(encoded.positions, queries, self._dimensions.width)
        for name, array in inputs.items():
            _bind_input(binding, name, array)
        return inputs

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
        self._check_weights()
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
