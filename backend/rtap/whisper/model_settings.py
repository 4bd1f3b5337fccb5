"""What a model's configuration files say: its dimensions, and the rules for the tokens that it produces."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rtap.errors import ModelError

if TYPE_CHECKING:
    from rtap.whisper.model_directory import ModelDirectory

_log = logging.getLogger(__name__)

DEFAULT_MAX_INITIAL_TIMESTAMP = 50
"""OpenAI's: the first segment starts within a second."""


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
