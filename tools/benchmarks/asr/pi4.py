"""How fast a Raspberry Pi 4 could be at best: what a model has to compute and to read, against its ceilings.

An estimate, never a measurement: real code reaches a part of a ceiling. What it is good for is the ratio
between lengths of context, and to tell which of the two ceilings is in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FREQUENCY: Final = 1.5e9
"""Hz; a Raspberry Pi 4 B as it is sold (BCM2711, four Cortex-A72)."""
CORES: Final = 4
FLOPS_PER_CYCLE: Final = 8
"""Of a Cortex-A72 core in fp32: one 128-bit fused multiply-add a cycle (Arm's Software Optimization Guide).
It has no dot-product instructions, so int8 computes hardly faster, and is only read faster."""
BYTES_PER_SECOND: Final = 4e9
"""What LPDDR4-3200 gives to the cores in practice, as STREAM-like benchmarks of this board report it."""
_FRAMES_PER_SECOND: Final = 100
_KERNEL: Final = 3
"""Width of both convolutions; the second halves the frames into positions."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A Whisper model's numbers."""

    width: int
    encoder_layers: int
    decoder_layers: int
    mels: int
    vocabulary: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one utterance."""

    flops: float
    read: float
    """Bytes that come from memory."""

    @property
    def seconds(self) -> float:
        """At the higher of the two ceilings, with all cores."""
        return max(self.flops / (CORES * FREQUENCY * FLOPS_PER_CYCLE), self.read / BYTES_PER_SECOND)


def encoding(shape: Shape, seconds: float, bytes_per_weight: float) -> Cost:
    """Features to the cross-attention's keys and values, for so many seconds of context."""
    frames = seconds * _FRAMES_PER_SECOND
    positions = frames / 2
    square = shape.width**2
    convolutions = _KERNEL * shape.width * (frames * shape.mels + positions * shape.width)
    # Query, key, value and output, and the two of the perceptron, which is four times as wide.
    layers = shape.encoder_layers * (12 * square * positions + 2 * shape.width * positions**2)
    crossed = shape.decoder_layers * 2 * square * positions
    weights = (
        _KERNEL * shape.width * (shape.mels + shape.width)
        + 12 * square * shape.encoder_layers
        + 2 * square * shape.decoder_layers
    )
    return Cost(2 * (convolutions + layers + crossed), weights * bytes_per_weight)


def step(shape: Shape, seconds: float, bytes_per_weight: float) -> Cost:
    """One token, with so many seconds of context to attend to."""
    positions = seconds * _FRAMES_PER_SECOND / 2
    square = shape.width**2
    # Self-attention has four matrices, cross-attention two that are left, the perceptron eight squares.
    weights = shape.decoder_layers * 14 * square + shape.width * shape.vocabulary
    attention = shape.decoder_layers * 2 * shape.width * positions
    # The audio's keys and values are as wide as the weights; the text's few are not counted.
    cached = shape.decoder_layers * 2 * shape.width * positions * bytes_per_weight
    return Cost(2 * (weights + attention), weights * bytes_per_weight + cached)


def utterance(
    shape: Shape, contexts: Sequence[float], tokens: int, bytes_per_weight: float
) -> float:
    """Seconds for all of it, one after the other: every encoding, and the steps in the last context.

    Args:
        contexts: seconds, of every pass of the encoder.
    """
    encoder = sum(encoding(shape, seconds, bytes_per_weight).seconds for seconds in contexts)
    return encoder + tokens * step(shape, contexts[-1], bytes_per_weight).seconds
