"""What the decoder needs of a model, and how one is loaded from disk.

Two layouts implement it: :mod:`rtap.whisper.model_rtap` for our graphs, :mod:`rtap.whisper.model_optimum`
for those that Hugging Face optimum exports.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.features import LogMel
from rtap.whisper.mapped_files import MappedFiles
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.sessions import CPU
from rtap.whisper.tokenizer import WhisperTokenizer

if TYPE_CHECKING:
    from rtap.whisper.model_optimum import OptimumModel
    from rtap.whisper.model_rtap import RtapModel

_log = logging.getLogger(__name__)

FRAMES_PER_SECOND = 100
"""Log-mel frames; the encoder halves them into positions."""
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
    """What generation_config.json says of the tokens a model may produce, and of those before them."""

    suppress: tuple[int, ...] = ()
    """Never produced: symbols and special tokens."""
    suppress_at_begin: tuple[int, ...] = ()
    """Not produced first: a blank, or the end of the text."""
    alignment_heads: tuple[tuple[int, int], ...] = ()
    """(layer, head) pairs whose cross-attention follows the audio; empty when unknown."""
    max_initial_timestamp: int = DEFAULT_MAX_INITIAL_TIMESTAMP
    """Highest first timestamp, in steps of 0.02 s."""
    takes_prompts: bool = True
    """Whether it was trained with text before the audio, as OpenAI's models were; our own key."""

    def for_decoder(self, layers: int, heads: int, where: object) -> GenerationRules:
        """These rules, without alignment heads that a decoder of this size does not have.

        Distilled models come with the list of their teacher, which has more layers. A list of which a part
        is outside was measured on another model, so all of it goes, and the fallback is used.

        Args:
            layers: of the decoder.
            heads: attention heads of each layer.
            where: the model, for the warning.
        """
        if heads_are_inside(self.alignment_heads, layers, heads):
            return self
        _log.warning(
            "%s names alignment heads that its decoder of %d layers does not have: "
            "words are timed by all heads of the upper half",
            where,
            layers,
        )
        return replace(self, alignment_heads=())

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
                takes_prompts=bool(config.get("takes_prompts", True)),
            )
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{directory.path / 'generation_config.json'} is damaged ({error}): "
                f"convert the checkpoint again with tools/convert_whisper"
            ) from error


def heads_are_inside(pairs: Sequence[Sequence[int]], layers: int, heads: int) -> bool:
    """Whether a decoder of that many layers, with that many heads each, has all (layer, head) pairs."""
    return all(0 <= layer < layers and 0 <= head < heads for layer, head in pairs)


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

    def confirm(self) -> None:
        """Wait until the SHA-256 of every file was compared; see :func:`load_model`.

        Raises:
            ModelError: a file is damaged, so nothing that the model said may be used.
        """

    @property
    def aligns_words(self) -> bool:
        """Whether :meth:`alignment_weights` and :meth:`last_attention` work."""

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

    def last_attention(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> NDArray[np.float32]:
        """Where the model looks when it chooses the last of the tokens.

        Cheaper than :meth:`alignment_weights`, which has the logits of every token computed.

        Args:
            tokens: two or more, prompt included, end of text not.
            positions: as there.

        Returns:
            Cross-attention probabilities [alignment heads, positions].
        """


class LoadedModel:
    """What the models of both layouts have alike: everything but the graphs."""

    def __init__(self, directory: ModelDirectory, threads: int) -> None:
        """Raises: ModelError: a file is missing or damaged."""
        self.directory = directory
        self.dimensions = Dimensions.from_directory(directory)
        self.tokenizer = WhisperTokenizer.from_directory(directory)
        self.rules = GenerationRules.from_directory(directory).for_decoder(
            self.dimensions.decoder_layers, self.dimensions.decoder_heads, directory.path
        )
        self.log_mel = LogMel.from_preprocessor(directory.read_json("preprocessor_config.json"))
        self.threads = threads
        self.weights = MappedFiles(directory)
        self.check: Future[None] | None = None
        """Comparing the files; None: done."""

    def confirm(self) -> None:
        """See :class:`SpeechModel`."""
        if self.check is not None:
            self.check.result()
            self.check = None


def load_model(
    directory: ModelDirectory,
    threads: int | None = None,
    providers: Sequence[str] = CPU,
    *,
    wait: bool = True,
) -> SpeechModel:
    """Load a model's graphs and check every file's SHA-256 meanwhile.

    Args:
        threads: for one inference; None takes ``ONNX_NUM_THREADS``, else the cores there are, at most 4.
        providers: ONNX Runtime's, see :func:`rtap.whisper.sessions.resolve_providers`.
        wait: for the check. ONNX Runtime keeps the interpreter to itself while it opens a graph, so most of
            the check comes after that; without waiting it runs beside the first inference. Then
            :meth:`SpeechModel.confirm` is to be called before anything is made of the answer.

    Raises:
        ModelError: damaged, or not a model of ours.
        ConfigurationError: the number of threads is not one.
    """
    threads = default_threads() if threads is None else threads
    if threads < 1:
        raise ConfigurationError(f"{threads} threads cannot work: give 1 or more")
    # Hashing reads what the sessions read, and lets go of the interpreter while it does.
    pool = ThreadPoolExecutor(1)
    check = pool.submit(directory.verify)
    pool.shutdown(wait=False)
    try:
        model = _load(directory, threads, providers)
    except ModelError:
        check.result()
        raise
    except Exception as error:
        # ONNX Runtime has a dozen unrelated types for a graph that it rejects.
        check.result()
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {directory.path} ({error}): "
            f"convert the checkpoint again with tools/convert_whisper"
        ) from error
    model.check = check
    if wait:
        model.confirm()
    return model


def _load(
    directory: ModelDirectory, threads: int, providers: Sequence[str]
) -> OptimumModel | RtapModel:
    from rtap.whisper.model_optimum import OptimumModel
    from rtap.whisper.model_rtap import RtapModel

    kind = OptimumModel if directory.manifest.layout == "optimum" else RtapModel
    return kind(directory, threads, providers)


def default_threads() -> int:
    """Threads for one inference, from the environment or the machine."""
    value = os.environ.get(THREADS_VARIABLE)
    if value is None:
        return min(len(os.sched_getaffinity(0)), MAX_DEFAULT_THREADS)
    if not value.isdigit() or int(value) < 1:
        raise ConfigurationError(f"{THREADS_VARIABLE} is {value!r}: give a whole number from 1")
    return int(value)
