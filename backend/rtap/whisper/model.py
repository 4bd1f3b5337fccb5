"""What the decoder needs of a model, and how one is loaded from disk.

Two layouts implement it: :mod:`rtap.whisper.model_rtap` for our graphs, :mod:`rtap.whisper.model_optimum`
for those that Hugging Face optimum exports.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.features import LogMel
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.tokenizer import WhisperTokenizer

FRAMES_PER_SECOND = 100
"""Log-mel frames; the encoder halves them into positions."""
_M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h."""
THREADS_VARIABLE = "ONNX_NUM_THREADS"
DEFAULT_MAX_INITIAL_TIMESTAMP = 50
"""OpenAI's: the first segment starts within a second."""
MAX_DEFAULT_THREADS = 4
"""Whisper's steps are too small to gain from more, and a Raspberry Pi 4 has no more."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The numbers of config.json that decoding depends on."""

    vocabulary: int
    mels: int
    width: int
    decoder_layers: int
    decoder_heads: int
    max_frames: int
    """Log-mel frames of the longest audio, 3000 for 30 s."""
    max_tokens: int
    """Longest sequence with its prompt, 448."""

    @property
    def head_size(self) -> int:
        """Width of one decoder attention head."""
        return self.width // self.decoder_heads

    @classmethod
    def from_directory(cls, directory: ModelDirectory) -> Dimensions:
        """Raises: ModelError: config.json is not Whisper's."""
        config = directory.read_json("config.json")
        try:
            return cls(
                vocabulary=int(config["vocab_size"]),
                mels=int(config["num_mel_bins"]),
                width=int(config["d_model"]),
                decoder_layers=int(config["decoder_layers"]),
                decoder_heads=int(config["decoder_attention_heads"]),
                max_frames=2 * int(config["max_source_positions"]),
                max_tokens=int(config["max_target_positions"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{directory.path / 'config.json'} is not a Whisper configuration ({error!r}): "
                f"convert the checkpoint again with tools/convert_whisper"
            ) from error


@dataclass(frozen=True, slots=True)
class GenerationRules:
    """What generation_config.json says of the tokens a model may produce."""

    suppress: tuple[int, ...] = ()
    """Never produced: symbols and special tokens."""
    suppress_at_begin: tuple[int, ...] = ()
    """Not produced first: a blank, or the end of the text."""
    alignment_heads: tuple[tuple[int, int], ...] = ()
    """(layer, head) pairs whose cross-attention follows the audio; empty when unknown."""
    max_initial_timestamp: int = DEFAULT_MAX_INITIAL_TIMESTAMP
    """Highest first timestamp, in steps of 0.02 s."""

    @classmethod
    def from_directory(cls, directory: ModelDirectory) -> GenerationRules:
        """Raises: ModelError: the file is damaged."""
        config = directory.read_json("generation_config.json")
        try:
            heads = config.get("alignment_heads") or ()
            limit = config.get("max_initial_timestamp_index")
            return cls(
                suppress=_token_ids(config, "suppress_tokens"),
                suppress_at_begin=_token_ids(config, "begin_suppress_tokens"),
                alignment_heads=tuple((int(layer), int(head)) for layer, head in heads),
                max_initial_timestamp=DEFAULT_MAX_INITIAL_TIMESTAMP
                if limit is None
                else int(limit),
            )
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{directory.path / 'generation_config.json'} is damaged ({error}): "
                f"convert the checkpoint again with tools/convert_whisper"
            ) from error


def _token_ids(config: Mapping[str, Any], key: str) -> tuple[int, ...]:
    return tuple(int(token) for token in config.get(key) or ())


class EncodedAudio(Protocol):
    """What the encoder made of one piece of audio; opaque to everything but its model."""

    @property
    def positions(self) -> int:
        """Encoder positions, 50 per second."""


class Decoding(Protocol):
    """The state of decoding one encoded audio: a cache of keys and values that grows by token."""

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        """Append tokens to the one sequence there is, before :meth:`fan_out`.

        Args:
            tokens: ids.
            rows: indices into ``tokens``: after which of them to predict.

        Returns:
            Logits [rows, vocabulary]; the caller may change them, the next call overwrites them.
        """

    def fan_out(self) -> None:
        """Continue the prompt with as many sequences as this decoding was made for."""

    def step(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Append one token [beams] to every sequence.

        Returns:
            Logits [beams, vocabulary], of the same kind as :meth:`prompt`'s.
        """

    def select(self, beams: NDArray[np.int64]) -> None:
        """Replace sequence i by a copy of sequence ``beams[i]``."""


class SpeechModel(Protocol):
    """A loaded model. Not for use by several threads at once: its buffers are reused."""

    directory: ModelDirectory
    dimensions: Dimensions
    tokenizer: WhisperTokenizer
    rules: GenerationRules
    log_mel: LogMel
    threads: int

    @property
    def elastic(self) -> Elastic:
        """How the encoder takes audio shorter than 30 s."""

    @property
    def aligns_words(self) -> bool:
        """Whether :meth:`alignment_weights` works."""

    def encode(self, mel: NDArray[np.float32]) -> EncodedAudio:
        """Run the encoder on log-mel features [mels, frames], frames even and at most max_frames.

        The result is good until the next call, which uses the same memory.
        """

    def decode(self, encoded: EncodedAudio, beams: int = 1) -> Decoding:
        """Start decoding; ends any decoding with the same number of beams that is under way."""

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where in the audio the model looks for each token.

        Args:
            tokens: the whole sequence, prompt and end of text included.
            positions: encoder positions that hold real audio; the rest is left out.

        Returns:
            Cross-attention probabilities [alignment heads, tokens, positions], and for each token its
            probability among all text tokens, given those before it [tokens]; 1 for the first.
        """


@dataclass(frozen=True, slots=True)
class ModelParts:
    """Everything of a model but its graphs: what both layouts read alike."""

    directory: ModelDirectory
    dimensions: Dimensions
    tokenizer: WhisperTokenizer
    rules: GenerationRules
    log_mel: LogMel
    threads: int

    @classmethod
    def read(cls, directory: ModelDirectory, threads: int) -> ModelParts:
        """Raises: ModelError: a file is missing or damaged."""
        return cls(
            directory=directory,
            dimensions=Dimensions.from_directory(directory),
            tokenizer=WhisperTokenizer.from_directory(directory),
            rules=GenerationRules.from_directory(directory),
            log_mel=LogMel.from_preprocessor(directory.read_json("preprocessor_config.json")),
            threads=threads,
        )


def load_model(directory: ModelDirectory, threads: int | None = None) -> SpeechModel:
    """Load a model's graphs and check every file's SHA-256 meanwhile.

    Args:
        threads: for one inference; None takes ``ONNX_NUM_THREADS``, else the cores there are, at most 4.

    Raises:
        ModelError: damaged, or not a model of ours.
        ConfigurationError: the number of threads is not one.
    """
    threads = default_threads() if threads is None else threads
    if threads < 1:
        raise ConfigurationError(f"{threads} threads cannot work: give 1 or more")
    # Hashing reads what the sessions read, and lets go of the interpreter while it does.
    with ThreadPoolExecutor(1) as pool:
        check = pool.submit(directory.verify)
        try:
            model = _load(directory, threads)
        except ModelError:
            check.result()
            raise
        except (
            Exception
        ) as error:  # ONNX Runtime has a dozen unrelated types for a graph it rejects
            check.result()
            raise ModelError(
                f"ONNX Runtime {onnxruntime.__version__} cannot load {directory.path} ({error}): "
                f"convert the checkpoint again with tools/convert_whisper"
            ) from error
        check.result()
    return model


def _load(directory: ModelDirectory, threads: int) -> SpeechModel:
    from rtap.whisper.model_optimum import OptimumModel
    from rtap.whisper.model_rtap import RtapModel

    parts = ModelParts.read(directory, threads)
    if directory.manifest.layout == "optimum":
        return OptimumModel(parts)
    return RtapModel(parts)


def default_threads() -> int:
    """Threads for one inference, from the environment or the machine."""
    value = os.environ.get(THREADS_VARIABLE)
    if value is None:
        return min(len(os.sched_getaffinity(0)), MAX_DEFAULT_THREADS)
    if not value.isdigit() or int(value) < 1:
        raise ConfigurationError(f"{THREADS_VARIABLE} is {value!r}: give a whole number from 1")
    return int(value)


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU, with the memory that all graphs of the process share."""
    _share_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads would otherwise burn the cores that the GUI and the audio need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A plan per shape asks for one block of everything at once, beside what the arena holds already; and
    # planned reuse keeps a buffer for its next user instead of giving it back (68 MB of activations for
    # 30 s of base instead of 44 MB).
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@cache
def _share_memory() -> None:
    """One arena for all sessions, which grows by what is asked for.

    By default each session has its own, and doubles it whenever it grows: 40 MB more at the peak of a
    base-sized int8 model on windows of 30 s.
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    by_request = {"max_mem": 0, "arena_extend_strategy": 1}
    by_request |= {"initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(by_request))
    _return_large_blocks()


def _return_large_blocks() -> None:
    """Have glibc give freed blocks of a megabyte and more back to the kernel, whatever came before.

    It raises that limit to the largest block ever freed, 32 MB in the end, and keeps the holes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none, and no such habit
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)


def long_audio_options() -> onnxruntime.RunOptions:
    """For a run whose memory is not worth keeping: the arena shrinks after it."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def require_tensors(
    session: onnxruntime.InferenceSession, path: Path, names: Sequence[str]
) -> None:
    """Check that a graph has the inputs and outputs that the engine binds.

    Raises:
        ModelError: one is missing, so this is a graph of another kind.
    """
    there = {tensor.name for tensor in [*session.get_inputs(), *session.get_outputs()]}
    missing = sorted(set(names) - there)
    if missing:
        raise ModelError(
            f"{path} is not a graph of this engine (it has no {missing[0]}): "
            f"convert the checkpoint again with tools/convert_whisper"
        )


def require_sizes(
    session: onnxruntime.InferenceSession, path: Path, sizes: Mapping[str, Mapping[int, int]]
) -> None:
    """Check that a graph is of the size that config.json states.

    Args:
        sizes: for each tensor, the axes that are the same in every run.

    Raises:
        ModelError: one differs, so the two come from different checkpoints.
    """
    shapes = {
        tensor.name: tensor.shape for tensor in [*session.get_inputs(), *session.get_outputs()]
    }
    for name, axes in sizes.items():
        for axis, size in axes.items():
            found = shapes[name][axis]
            if found != size:
                raise ModelError(
                    f"{path} is of another size than config.json says ({name} has {found} instead of "
                    f"{size}): convert the checkpoint again with tools/convert_whisper"
                )
