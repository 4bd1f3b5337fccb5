"""A checkpoint in torch, with an encoder that takes any length, and the engine's way of decoding."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rtap.whisper.decode import Decoded, Search, search
from rtap.whisper.features import LogMel
from rtap.whisper.model_directory import Manifest, ModelDirectory
from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.token_rules import TokenRules
from rtap.whisper.tokenizer import WhisperTokenizer
from rtap.whisper.window_decoder import context_frames, token_limit
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import ADAPTED_MARGIN
from tools.model.conversion.graph_writer import OPSET
from tools.model.conversion.in_torch import load_network
from tools.model.conversion.manifest import CREATED_BY, file_records
from tools.model.conversion.text_files import write_text_files

if TYPE_CHECKING:
    from transformers import WhisperForConditionalGeneration

    from tools.model.adaptation.clips import Clip


class Whisper:
    """A checkpoint's network, tokenizer and features.

    Raises:
        ModelError: the checkpoint is damaged, or transformers cannot load it.
    """

    def __init__(self, checkpoint: Checkpoint, language: str, device: str) -> None:
        """Args: language: in which transcripts are, a code or an English name; device: cpu or cuda."""
        checkpoint.parameters()  # its messages say what to do; transformers' fill a screen
        with tempfile.TemporaryDirectory() as place:
            directory = _text_files(checkpoint, Path(place))
            self.tokenizer = _tokenizer(directory, checkpoint)
            self.log_mel = LogMel.from_preprocessor(directory.read_json("preprocessor_config.json"))
            rules = GenerationRules.from_directory(directory)
        self.language = self.tokenizer.language(language)
        self.full = 2 * checkpoint.config.max_source_positions
        """Log-mel frames of the longest context."""
        self.longest_text = checkpoint.config.max_target_positions
        self.device = device
        self.network = load_network(checkpoint, "sdpa").to(device)
        self._rules = TokenRules(
            self.tokenizer, rules, checkpoint.config.vocab_size, timestamps=False
        )

    def prompt(self, language: str = "") -> list[int]:
        """What comes before the text.

        Args:
            language: Whisper's code; empty: that of the adaptation.

        Raises:
            ConfigurationError: the checkpoint does not know the language.
        """
        code = self.tokenizer.language(language) if language else self.language
        return [*self.tokenizer.sot_sequence(code), self.tokenizer.no_timestamps]

    def frames(self, clip: Clip) -> int:
        """The context in which the engine will encode a clip with the adapted weights."""
        return context_frames(clip.audio.size, "native", self.full, ADAPTED_MARGIN)

    def features(self, clips: Sequence[Clip], frames: int) -> Tensor:
        """Log-mel features, shape (clips, bands, frames)."""
        mels = np.stack([self.log_mel(clip.samples, frames) for clip in clips])
        return torch.from_numpy(mels).to(self.device)

    def encode(self, mel: Tensor) -> Tensor:
        """Encoder states (batch, frames / 2, width). transformers' own forward insists on 30 s."""
        encoder = self.network.model.encoder
        states = functional.gelu(encoder.conv1(mel))
        states = functional.gelu(encoder.conv2(states)).transpose(1, 2)
        states = states + encoder.embed_positions.weight[: states.shape[1]]
        for layer in encoder.layers:
            states = layer(states, attention_mask=None, layer_head_mask=None)[0]
        normed: Tensor = encoder.layer_norm(states)
        return normed

    def hidden_states(self, encoded: Tensor, tokens: Tensor) -> Tensor:
        """What every decoder layer makes of the tokens: (layers, batch, tokens, width)."""
        output = self.network.model.decoder(
            input_ids=tokens,
            encoder_hidden_states=encoded,
            output_hidden_states=True,
            use_cache=False,
        )
        # The first is the embedding of the tokens, which has heard nothing yet.
        return torch.stack(output.hidden_states[1:])

    def text_tokens(self, text: str, language: str = "") -> list[int]:
        """Prompt and text, without the end of text; cut to what the decoder holds."""
        body = self.tokenizer.encode(f" {text.strip()}") if text.strip() else []
        return [*self.prompt(language), *body][: self.longest_text]

    def transcribe(self, clip: Clip, frames: int) -> str:
        """The greedy transcript in a context of so many frames."""
        return self.text(self.search(clip, frames))

    def text(self, decoded: Decoded) -> str:
        """What the tokens say."""
        return self.tokenizer.decode(decoded.tokens).strip()

    def search(self, clip: Clip, frames: int) -> Decoded:
        """As :meth:`transcribe`, with how likely the tokens are."""
        with torch.inference_mode():
            return self.search_in(self.encode(self.features([clip], frames)), clip)

    @torch.no_grad()
    def search_in(self, encoded: Tensor, clip: Clip) -> Decoded:
        """The engine's own search with its bounds, on a clip's encoder states (1, positions, width)."""
        prompt = self.prompt(clip.language)
        decoding = _TorchDecoding(self.network, encoded)
        logits = decoding.prompt(prompt, [len(prompt) - 1])
        limit = token_limit(clip.audio.size, len(prompt), self.longest_text)
        how = Search(limit=limit, end_of_text=self.tokenizer.end_of_text)
        return search(decoding, logits, self._rules, how, np.random.default_rng(0))


class _TorchDecoding:
    """One sequence, for :func:`rtap.whisper.decode.search`."""

    def __init__(self, network: WhisperForConditionalGeneration, encoded: Tensor) -> None:
        self._network = network
        self._encoded = encoded
        self._cache = None

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> NDArray[np.float32]:
        output = self._network.model.decoder(
            input_ids=torch.tensor([list(tokens)], device=self._encoded.device),
            encoder_hidden_states=self._encoded,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = output.past_key_values
        logits = self._network.proj_out(output.last_hidden_state[0, list(rows)])
        found: NDArray[np.float32] = logits.float().cpu().numpy()
        return found

    def step(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.prompt(tokens.tolist(), [0])

    def fan_out(self) -> None:
        """There is one sequence only."""

    def select(self, beams: NDArray[np.int64]) -> None:
        """There is one sequence only."""


def _text_files(checkpoint: Checkpoint, place: Path) -> ModelDirectory:
    """A model directory without graphs, so that the engine's readers do the reading."""
    write_text_files(checkpoint, place)
    manifest = Manifest(
        name=checkpoint.name,
        source=checkpoint.source,
        layout="rtap",
        precision="fp32",
        elastic="native",
        parameters=0,
        opset=OPSET,
        created_by=CREATED_BY,
        files=file_records(place.iterdir()),
    )
    return ModelDirectory(place, manifest)


def _tokenizer(directory: ModelDirectory, checkpoint: Checkpoint) -> WhisperTokenizer:
    """All of it in memory, where the engine reads the file bit by bit."""
    from tokenizers import Tokenizer

    multilingual = directory.read_json("generation_config.json").get("is_multilingual")
    return WhisperTokenizer(
        Tokenizer.from_file(str(directory.path / "tokenizer.json")),
        vocabulary_size=checkpoint.config.vocab_size,
        multilingual=multilingual if isinstance(multilingual, bool) else None,
        where=checkpoint.path / "tokenizer.json",
    )
