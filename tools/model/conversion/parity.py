"""Compares a converted model with the checkpoint in torch, number by number.

The encoder is compared at several lengths of audio, the decoder over many greedy steps. Both decoders get the
tokens that torch chose, so that one early difference cannot hide the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ModelError
from rtap.whisper.cross_cache import CrossTensors
from rtap.whisper.features import LogMel
from rtap.whisper.load_model import load_model
from rtap.whisper.model import FRAMES_PER_SECOND, SpeechModel
from rtap.whisper.model_directory import ModelDirectory, Precision
from rtap.whisper.model_settings import Dimensions
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.in_torch import load_network

if TYPE_CHECKING:
    import torch

ENCODER_SECONDS = (2, 5, 10, 30)
DECODER_SECONDS = (3, 30)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a precision may differ by."""

    logits: float
    """Root-mean-square difference of the logits over their own root mean square."""
    tokens: float
    """Share of steps at which the same token is the likeliest."""
    absolute: float | None = None
    """Largest difference of any logit and any encoder output, where the values are about 1. Those of trained
    weights go up to 30, and fp32 rounds in proportion."""


TOLERANCES: Mapping[Precision, Tolerance] = {
    "fp32": Tolerance(logits=1e-4, tokens=1.0, absolute=1e-3),
    "fp16": Tolerance(logits=0.005, tokens=0.97),
    "int8": Tolerance(logits=0.10, tokens=0.80),
    "w8": Tolerance(logits=0.10, tokens=0.80),
    "w4": Tolerance(logits=0.40, tokens=0.35),
}
"""For random weights, whose logits lie closer together than a trained model's: the worst case."""


@dataclass(frozen=True, slots=True)
class EncoderParity:
    """Cross-attention keys and values against torch."""

    seconds: int
    max_difference: float
    relative_error: float
    largest: float = 1.0
    """Of torch's values, 1 at least."""


@dataclass(frozen=True, slots=True)
class DecoderParity:
    """Logits over greedy steps against torch."""

    seconds: int
    steps: int
    equal_tokens: int
    distinct_tokens: int
    """Different tokens among the steps; a decoder that repeats itself proves little."""
    max_difference: float
    relative_error: float
    largest: float = 1.0
    """Of torch's logits, 1 at least."""


@dataclass(frozen=True, slots=True)
class Parity:
    """All comparisons of one model."""

    precision: Precision
    encoder: tuple[EncoderParity, ...]
    decoder: tuple[DecoderParity, ...]

    @property
    def failures(self) -> list[str]:
        """What lies outside the precision's tolerance, one line each."""
        tolerance = TOLERANCES[self.precision]
        lines = [
            f"{decoder.seconds} s: only {decoder.equal_tokens} of {decoder.steps} tokens"
            for decoder in self.decoder
            if decoder.equal_tokens < tolerance.tokens * decoder.steps
        ]
        parts: list[EncoderParity | DecoderParity] = [*self.encoder, *self.decoder]
        for part in parts:
            # Asked this way round, a figure that is not a number fails.
            if not part.relative_error <= tolerance.logits:
                lines.append(f"{part.seconds} s: relative error {part.relative_error:.2g}")
            if tolerance.absolute is None:
                continue
            if not part.max_difference <= tolerance.absolute * part.largest:
                lines.append(f"{part.seconds} s: difference {part.max_difference:.2g}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """For the manifest and ``--json``."""
        return {
            "precision": self.precision,
            "encoder": [_json_figures(part) for part in self.encoder],
            "decoder": [_json_figures(part) for part in self.decoder],
            "tolerance": asdict(TOLERANCES[self.precision]),
            "passed": not self.failures,
        }


def _json_figures(part: EncoderParity | DecoderParity) -> dict[str, Any]:
    """JSON has no number for NaN and infinity."""
    figures = asdict(part)
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def can_compare() -> bool:
    """Whether torch and transformers are there, which compute what is compared with."""
    try:
        import torch
        import transformers
    except ImportError:
        return False
    return bool(torch.__version__ and transformers.__version__)


def measure_parity(directory: ModelDirectory, checkpoint: Checkpoint, *, steps: int) -> Parity:
    """Run both models on the same synthetic audio.

    Raises:
        ModelError: they do not have the same shape.
    """
    ours = load_model(directory)
    dimensions, config = ours.dimensions, checkpoint.config
    if dimensions != Dimensions(
        vocabulary=config.vocab_size,
        mels=config.num_mel_bins,
        width=config.d_model,
        decoder_layers=config.decoder_layers,
        decoder_heads=config.decoder_attention_heads,
        max_frames=2 * config.max_source_positions,
        max_tokens=config.max_target_positions,
    ):
        raise ModelError(
            f"{directory.path} was not made from {checkpoint.source}: give its own checkpoint"
        )
    reference = _Reference(checkpoint)
    longest = dimensions.max_frames // FRAMES_PER_SECOND
    always_full = ours.elastic == "no"
    return Parity(
        precision=directory.manifest.precision,
        encoder=()
        if always_full
        else tuple(
            _compare_encoder(ours, reference, seconds)
            for seconds in sorted({min(seconds, longest) for seconds in ENCODER_SECONDS})
        ),
        decoder=tuple(
            _compare_decoder(ours, reference, seconds, steps)
            for seconds in (
                [longest] if always_full else sorted({min(s, longest) for s in DECODER_SECONDS})
            )
        ),
    )


def _compare_encoder(ours: SpeechModel, reference: _Reference, seconds: int) -> EncoderParity:
    mel = _synthetic_mel(ours.log_mel, seconds)
    expected = reference.cross_attention(reference.encode(mel))
    encoded = ours.encode(mel)
    # Only this tool looks into what the encoder hands to the decoder.
    assert isinstance(encoded, CrossTensors)
    found = [encoded.floats(name) for name in encoded.tensors]
    pairs = list(zip(found, expected, strict=True))
    # NumPy's maximum, because Python's loses what is not a number.
    return EncoderParity(
        seconds,
        max_difference=float(np.max([np.abs(one - other).max() for one, other in pairs])),
        relative_error=float(np.max([_relative_error(one, other) for one, other in pairs])),
        largest=max(1.0, *(float(np.abs(other).max()) for _, other in pairs)),
    )


def _compare_decoder(
    ours: SpeechModel, reference: _Reference, seconds: int, steps: int
) -> DecoderParity:
    mel = _synthetic_mel(ours.log_mel, seconds)
    tokenizer = ours.tokenizer
    prompt = [*tokenizer.sot_sequence("en", "transcribe"), tokenizer.no_timestamps]
    steps = min(steps, ours.dimensions.max_tokens - len(prompt))
    tokens, expected = reference.greedy(reference.encode(mel), prompt, steps)
    decoding = ours.decode(ours.encode(mel))
    found = np.empty_like(expected)
    found[0] = decoding.prompt(prompt, [len(prompt) - 1])[0]
    for index in range(1, steps):
        found[index] = decoding.step(np.array([tokens[index - 1]]))[0]
    return DecoderParity(
        seconds=seconds,
        steps=steps,
        equal_tokens=int((found.argmax(axis=1) == np.array(tokens)).sum()),
        distinct_tokens=len(set(tokens)),
        max_difference=float(np.abs(found - expected).max()),
        relative_error=_relative_error(found, expected),
        largest=max(1.0, float(np.abs(expected).max())),
    )


def _relative_error(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(
        np.sqrt(np.mean((found - expected) ** 2) / max(float(np.mean(expected**2)), 1e-30))
    )


def _synthetic_mel(log_mel: LogMel, seconds: int) -> NDArray[np.float32]:
    """Features of a gliding tone in noise that swells and fades like syllables: busy in every band."""
    random = np.random.default_rng(seconds)
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    glide = np.sin(2 * np.pi * (150 + 80 * np.sin(3 * time)) * time)
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * time)
    audio = (0.3 * glide + 0.1 * random.standard_normal(time.size)) * syllables
    return log_mel(audio.astype(np.float32), seconds * FRAMES_PER_SECOND)


class _Reference:
    """The checkpoint in torch, with an encoder that takes any length."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        import torch

        self._torch = torch
        self._model = load_network(checkpoint)

    def encode(self, mel: NDArray[np.float32]) -> torch.Tensor:
        """Hidden states [1, positions, width]. transformers' own forward insists on 30 s."""
        encoder = self._model.model.encoder
        with self._torch.inference_mode():
            hidden = self._torch.from_numpy(mel)[None]
            for convolution in (encoder.conv1, encoder.conv2):
                hidden = self._torch.nn.functional.gelu(convolution(hidden))
            hidden = hidden.transpose(1, 2)
            hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
            for layer in encoder.layers:
                hidden = layer(hidden, None, None)[0]
            normed: torch.Tensor = encoder.layer_norm(hidden)
        return normed

    def cross_attention(self, hidden: torch.Tensor) -> list[NDArray[np.float32]]:
        """Keys and values [1, heads, positions, head size], layer by layer."""
        tensors = []
        with self._torch.inference_mode():
            for layer in self._model.model.decoder.layers:
                attention = layer.encoder_attn
                for projection in (attention.k_proj, attention.v_proj):
                    split = projection(hidden).view(1, hidden.shape[1], attention.num_heads, -1)
                    tensors.append(split.transpose(1, 2).numpy())
        return tensors

    def greedy(
        self, hidden: torch.Tensor, prompt: Sequence[int], steps: int
    ) -> tuple[list[int], NDArray[np.float32]]:
        """The likeliest tokens, whatever they are, and the logits [steps, vocabulary] behind them."""
        tokens: list[int] = []
        logits = np.empty((steps, self._model.config.vocab_size), np.float32)
        fed, cache = list(prompt), None
        with self._torch.inference_mode():
            for step in range(steps):
                output = self._model(
                    encoder_outputs=(hidden,),
                    decoder_input_ids=self._torch.tensor([fed]),
                    past_key_values=cache,
                    use_cache=True,
                )
                cache = output.past_key_values
                logits[step] = output.logits[0, -1].numpy()
                fed = [int(logits[step].argmax())]
                tokens += fed
        return tokens, logits
