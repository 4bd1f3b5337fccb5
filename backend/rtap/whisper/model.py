"""What the decoder needs of a model, and what the models of both layouts have alike.

Two layouts implement it: :mod:`rtap.whisper.model_rtap` for our graphs, :mod:`rtap.whisper.model_optimum`
for those that Hugging Face optimum exports. :mod:`rtap.whisper.load_model` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rtap.whisper.features import LogMel
from rtap.whisper.mapped_files import MappedFiles
from rtap.whisper.model_directory import Elastic, ModelDirectory
from rtap.whisper.model_settings import Dimensions, GenerationRules
from rtap.whisper.tokenizer import WhisperTokenizer

FRAMES_PER_SECOND = 100
"""Log-mel frames; the encoder halves them into positions."""


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
