"""The network: Whisper's, small, with a second head that is dropped after training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.features import HOP, N_FFT, mel_filters

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import WhisperConfig, WhisperForConditionalGeneration

MELS: Final = 80
LONGEST_SECONDS: Final = 12
"""Length of the encoder's position table."""
_FRAMES_PER_POSITION: Final = 2
_TEXT_POSITIONS: Final = 96
WARPS: Final = 21
"""Sets of mel filters; the middle one is Whisper's own."""
_LARGEST_WARP: Final = 0.15
"""Vocal tracts differ by about this much from the mean; Jaitly and Hinton (2013) warp by 10 %."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the network; heads must be a multiple of 8 wide."""

    width: int = 256
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2


def configuration(shape: Shape, tokenizer: Tokenizer) -> WhisperConfig:
    """The configuration as transformers wants it."""
    from transformers import WhisperConfig

    end = tokenizer.token_to_id("<|endoftext|>")
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
        num_mel_bins=MELS,
        d_model=shape.width,
        encoder_layers=shape.encoder_layers,
        encoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_layers=shape.decoder_layers,
        decoder_attention_heads=shape.heads,
        decoder_ffn_dim=4 * shape.width,
        max_source_positions=LONGEST_SECONDS * SAMPLE_RATE // HOP // _FRAMES_PER_POSITION,
        max_target_positions=_TEXT_POSITIONS,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        eos_token_id=end,
        bos_token_id=end,
        pad_token_id=end,
        dropout=0.05,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


class Network(nn.Module):
    """A Whisper model and a phone classifier on its encoder.

    Args:
        phones: kinds of phones; CTC's blank is one more, with index 0.
    """

    def __init__(self, config: WhisperConfig, phones: int) -> None:
        super().__init__()
        from transformers import WhisperForConditionalGeneration

        self.whisper: WhisperForConditionalGeneration = WhisperForConditionalGeneration(config)
        self.phone_head = nn.Linear(config.d_model, phones + 1)

    def encode(self, mel: Tensor) -> Tensor:
        """Encoder states of audio of any length up to the position table's.

        transformers' own forward insists on 30 s; its layers do not.

        Args:
            mel: shape (batch, 80, frames), an even number of frames.

        Returns:
            Shape (batch, frames / 2, width).
        """
        encoder = self.whisper.model.encoder
        states = functional.gelu(encoder.conv1(mel))
        states = functional.gelu(encoder.conv2(states)).transpose(1, 2)
        states = states + encoder.embed_positions.weight[: states.shape[1]]
        states = functional.dropout(states, encoder.dropout, self.training)
        for layer in encoder.layers:
            states = layer(states, attention_mask=None, layer_head_mask=None)[0]
        normed: Tensor = encoder.layer_norm(states)
        return normed

    def forward(self, mel: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the next tokens and of the phones.

        Args:
            mel: shape (batch, 80, frames).
            tokens: decoder input, shape (batch, tokens).

        Returns:
            Shapes (batch, tokens, vocabulary) and (batch, frames / 2, phones + 1).
        """
        states = self.encode(mel)
        decoded = self.whisper.model.decoder(
            input_ids=tokens, encoder_hidden_states=states, use_cache=False
        )
        return self.whisper.proj_out(decoded.last_hidden_state), self.phone_head(states)


class WarpedLogMel(nn.Module):
    """Whisper's features in batches, as vocal tracts of different lengths would shape them."""

    def __init__(self) -> None:
        super().__init__()
        factors = np.linspace(1 - _LARGEST_WARP, 1 + _LARGEST_WARP, WARPS)
        bins = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
        plain = mel_filters(MELS)
        banks = [
            np.stack([np.interp(_warped(bins, factor), bins, row) for row in plain])
            for factor in factors
        ]
        self.register_buffer("banks", torch.tensor(np.stack(banks), dtype=torch.float32))
        self.register_buffer("window", torch.hann_window(N_FFT))
        self.banks: Tensor
        self.window: Tensor
        self.plain = WARPS // 2
        """Index of the filters that are not stretched."""

    def forward(self, audio: Tensor, warps: Tensor, equaliser: Tensor) -> Tensor:
        """Features as ``rtap.whisper.features.LogMel`` gives them.

        Args:
            audio: shape (batch, samples), 16 kHz.
            warps: index of the filters per item, from 0 to 20.
            equaliser: gain per band in powers of ten, shape (batch, 80).

        Returns:
            Shape (batch, 80, samples / 160).
        """
        spectrum = torch.stft(audio, N_FFT, HOP, window=self.window, return_complex=True)
        power = spectrum[..., :-1].abs().square()
        mel = torch.bmm(self.banks[warps], power).clamp_min(1e-10).log10() + equaliser[:, :, None]
        mel = torch.maximum(mel, mel.amax(dim=(1, 2), keepdim=True) - 8.0)
        return (mel + 4.0) / 4.0


def _warped(hertz: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Frequencies scaled by a factor, bent towards the top so that 8 kHz stays where it is."""
    top = SAMPLE_RATE / 2
    knee = 4800.0 * min(factor, 1.0) / factor
    upper = factor * knee + (top - factor * knee) / (top - knee) * (hertz - knee)
    return np.where(hertz < knee, hertz * factor, upper)
